import type { Chosen } from './uploads';

/** A path below a folder; the overlay's root is ''. */
export function below(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

/** The panel tells archives by their content; people choose by their name. */
export function isArchive(name: string): boolean {
  return /\.(zip|tar|tgz|tbz2?|txz|tzst|tar\.(gz|bz2|xz|zst))$/i.test(name);
}

/** Files of a picker. A folder picker gives paths that begin with the folder's own name, which is kept. */
export function fromPicker(files: Iterable<File> | null, folder: string): Chosen[] {
  return [...(files ?? [])].map((file) => ({ file, path: below(folder, file.webkitRelativePath || file.name) }));
}

/** Files and folders dropped onto the page. Must be called within the drop event: its data is gone afterwards. */
export async function fromDrop(data: DataTransfer, folder: string): Promise<Chosen[]> {
  const entries = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const chosen = await Promise.all(entries.map((entry) => walk(entry, folder)));
  return chosen.flat();
}

async function walk(entry: FileSystemEntry, folder: string): Promise<Chosen[]> {
  const path = below(folder, entry.name);
  if (isFile(entry)) {
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path }];
  }
  if (!isDirectory(entry)) return [];
  const reader = entry.createReader();
  const chosen: Chosen[] = [];
  // A reader gives a folder in portions, at most 100 entries each in Chromium, and ends with an empty one.
  for (;;) {
    const portion = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (portion.length === 0) return chosen;
    for (const child of portion) chosen.push(...(await walk(child, path)));
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}
