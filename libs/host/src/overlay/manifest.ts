import { open, type FileHandle } from 'node:fs/promises';
import { hasCode } from './durable.js';

/** One file or link of a published revision: a line of `<revision>.manifest`, as JSON. Folders have none. */
export interface ManifestEntry {
  /** '/'-separated. */
  path: string;
  type: 'file' | 'link';
  /** Bytes; of a link, those of its target. */
  size: number;
  executable: boolean;
  /** SHA-256 of the content, or of the link's target; hexadecimal. */
  hash: string;
}

const BUFFERED_CHARACTERS = 64 * 1024;

export function manifestPath(revision: string): string {
  return `${revision}.manifest`;
}

/** Writes the lines of a manifest as they become known. */
export class ManifestWriter {
  private buffered = '';

  private constructor(private readonly file: FileHandle) {}

  static async create(path: string): Promise<ManifestWriter> {
    return new ManifestWriter(await open(path, 'wx', 0o644));
  }

  async add(entry: ManifestEntry): Promise<void> {
    this.buffered += `${JSON.stringify(entry)}\n`;
    if (this.buffered.length >= BUFFERED_CHARACTERS) await this.flush();
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.file.close();
    }
  }

  private async flush(): Promise<void> {
    const text = this.buffered;
    this.buffered = '';
    await this.file.appendFile(text);
  }
}

/** The entries in the order of `comparePaths`; null when the revision was published without a manifest. */
export async function openManifest(revision: string): Promise<AsyncGenerator<ManifestEntry> | null> {
  try {
    const file = await open(manifestPath(revision), 'r');
    return readEntries(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

async function* readEntries(file: FileHandle): AsyncGenerator<ManifestEntry> {
  try {
    for await (const line of file.readLines()) yield entryOf(line);
  } finally {
    await file.close();
  }
}

function entryOf(line: string): ManifestEntry {
  const value: unknown = JSON.parse(line);
  const { path, type, size, executable, hash }: Record<string, unknown> = Object(value);
  if (typeof path !== 'string' || (type !== 'file' && type !== 'link')) throw new Error('a manifest has a wrong line');
  if (typeof size !== 'number' || typeof hash !== 'string') throw new Error('a manifest has a wrong line');
  return { path, type, size, executable: executable === true, hash };
}

/** The order in which trees are walked: folder by folder, names by their code units. */
export function comparePaths(one: string, other: string): number {
  const [left, right] = [one.split('/'), other.split('/')];
  for (const [i, part] of left.entries()) {
    const against = right[i];
    if (against === undefined) return 1;
    if (part !== against) return part < against ? -1 : 1;
  }
  return left.length - right.length;
}
