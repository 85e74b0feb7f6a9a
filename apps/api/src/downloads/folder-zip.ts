import { Readable } from 'node:stream';
import { HostError, type LayeredEntry, type LeftOut, type OpenedFile } from '@left4me/host';
import { ZipWriter } from './zip-writer.js';

/** The list of entries is kept in memory until the end. */
const MOST_ENTRIES = 200_000;
const LEFT_OUT = 'LEFT-OUT.txt';
/** What is told of them is kept in memory, too. */
const MOST_LINES_LEFT_OUT = 10_000;
const SHOWN_TARGET = 200;
/** Programs that unpack would take them for a path, or for a drive of Windows. */
const NOT_FOR_ZIP = /\\|^[a-zA-Z]:/;

/** The folder that is packed. */
export interface FolderToPack {
  /** Names in the zip file are relative to it. */
  path: string;
  entries: AsyncIterable<LayeredEntry | LeftOut>;
  open(path: string): Promise<OpenedFile>;
  /** What is packed of a file: what it has, up to the size that it had when it was opened. Closes it. */
  content(opened: OpenedFile): Readable;
}

/**
 * A folder as a zip file, packed while it is read: one file is open at a time, and none when whoever reads stops. Files may become longer
 * or shorter meanwhile. What is left out is told in a file of its own: links, names that a zip file cannot have, files that cannot be read.
 */
export function folderZip(folder: FolderToPack): Readable {
  return Readable.from(pack(folder), { objectMode: false });
}

async function* pack(folder: FolderToPack): AsyncGenerator<Buffer> {
  const zip = new ZipWriter();
  const leftOut: string[] = [];
  let entries = 0;
  let untold = 0;
  for await (const entry of folder.entries) {
    if (++entries > MOST_ENTRIES) {
      leftOut.push(`everything after the first ${MOST_ENTRIES} entries\n`);
      break;
    }
    const why = 'why' in entry ? entry.why : yield* packEntry(zip, folder, entry);
    if (why === null) continue;
    if (leftOut.length < MOST_LINES_LEFT_OUT) leftOut.push(`${JSON.stringify(entry.path)}: ${why}\n`);
    else untold++;
  }
  if (untold > 0) leftOut.push(`and ${untold} more\n`);
  if (leftOut.length > 0) {
    const told = Buffer.from(`Left out of this archive:\n\n${leftOut.join('')}`);
    yield* zip.file(LEFT_OUT, new Date(), Readable.from([told]), told.length);
  }
  yield* zip.end();
}

/** @returns why it was left out; null when it is packed */
async function* packEntry(
  zip: ZipWriter,
  folder: FolderToPack,
  entry: LayeredEntry,
): AsyncGenerator<Buffer, string | null> {
  const name = folder.path === '' ? entry.path : entry.path.slice(folder.path.length + 1);
  if (entry.type === 'link') return `a link to ${JSON.stringify((entry.target ?? '').slice(0, SHOWN_TARGET))}`;
  if (NOT_FOR_ZIP.test(name)) return 'a name that zip files cannot have';
  const modifiedAt = new Date(entry.modifiedAt);
  if (entry.type === 'directory') {
    yield* zip.folder(name, modifiedAt);
    return null;
  }
  let opened: OpenedFile;
  try {
    opened = await folder.open(entry.path);
  } catch (error) {
    if (error instanceof HostError) return error.message;
    throw error;
  }
  yield* zip.file(name, modifiedAt, folder.content(opened), opened.size);
  return null;
}
