import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, readlink } from 'node:fs/promises';
import { Interrupted } from '../errors.js';
import { DirHandle } from './dir-handle.js';
import { hasCode } from './durable.js';
import { type ManifestEntry, openManifest } from './manifest.js';
import { ifSwapped } from './tree-entries.js';

/** One file or link of a tree; what takes reading it is asked for only when it matters. */
export interface ContentEntry extends Omit<ManifestEntry, 'hash'> {
  /** Throws `Interrupted`. */
  hash(signal: AbortSignal): Promise<string>;
}

const CHUNK_BYTES = 256 * 1024;

/** What a published revision holds, from its manifest, else by walking it. In the order of `comparePaths`. */
export async function* revisionContents(revision: string): AsyncGenerator<ContentEntry> {
  const manifest = await openManifest(revision);
  if (manifest === null) {
    yield* treeContents(revision);
    return;
  }
  for await (const { hash, ...entry } of manifest) yield { ...entry, hash: () => Promise.resolve(hash) };
}

/** Every regular file and link below a folder, in the order of `comparePaths`. Follows no link. Missing: none. */
export async function* treeContents(tree: string): AsyncGenerator<ContentEntry> {
  let root: DirHandle;
  try {
    root = await DirHandle.open(tree);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  yield* folderContents(root, []);
}

/** Closes `folder`. An entry's hash can be asked for until the next entry is. */
async function* folderContents(folder: DirHandle, parts: readonly string[]): AsyncGenerator<ContentEntry> {
  try {
    for (const name of (await readdir(folder.path)).sort()) {
      const path = [...parts, name].join('/');
      const stats = await lstat(folder.at(name)).catch(ifSwapped);
      if (stats?.isDirectory()) {
        const child = await folder.child(name).catch(ifSwapped);
        if (child !== null) yield* folderContents(child, [...parts, name]);
      } else if (stats?.isFile()) {
        const executable = (stats.mode & constants.S_IXUSR) !== 0;
        yield { path, type: 'file', size: stats.size, executable, hash: (signal) => fileHash(folder.at(name), signal) };
      } else if (stats?.isSymbolicLink()) {
        const target = await readlink(folder.at(name));
        yield {
          path,
          type: 'link',
          size: Buffer.byteLength(target),
          executable: false,
          hash: async () => textHash(target),
        };
      }
    }
  } finally {
    await folder.close();
  }
}

/** How a folder enters the hash of a revision. */
export function folderMark(path: string): string {
  return `d\0${path}\0`;
}

/** How a file enters the hash of a revision. */
export function fileMark(path: string, executable: boolean, hash: string): string {
  return `f\0${path}\0${executable ? 'x' : '-'}\0${hash}\0`;
}

/** SHA-256, hexadecimal. */
export function textHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A file that is gone meanwhile equals none. */
async function fileHash(path: string, signal: AbortSignal): Promise<string> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ELOOP')) return null;
    throw error;
  });
  if (file === null) return 'gone';
  try {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (;;) {
      if (signal.aborted) throw new Interrupted('comparing');
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
