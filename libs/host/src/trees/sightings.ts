import { isUtf8 } from 'node:buffer';
import { lstat, opendir } from 'node:fs/promises';
import { PathRefused } from '../errors.js';
import type { DirHandle } from '../overlay/dir-handle.js';
import { hasCode } from '../overlay/durable.js';

/** What a name is in one layer. `other`: a device, a socket, a FIFO; never shown, though it hides what is below it. */
export type Sighted = 'file' | 'directory' | 'link' | 'whiteout' | 'other';

/** More is not listed: a server could fill the memory with names. */
const MOST_NAMES = 100_000;

interface HasType {
  isDirectory(): boolean;
  isFile(): boolean;
  isSymbolicLink(): boolean;
  isCharacterDevice(): boolean;
}

/** Null when it is missing. */
export async function sightingOf(folder: DirHandle, name: string): Promise<Sighted | null> {
  try {
    const stats = await lstat(folder.at(name));
    return plainType(stats) ?? (isWhiteout(stats) ? 'whiteout' : 'other');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/**
 * What a folder of one layer has, by name.
 * @throws PathRefused when it has too many entries
 */
export async function sightingsIn(
  folder: DirHandle,
  path: string,
): Promise<{ names: Map<string, Sighted>; unreadable: number }> {
  const names = new Map<string, Sighted>();
  let unreadable = 0;
  // latin1: each character is a byte. A name that is not UTF-8 would be mangled, and mean another file or none.
  for await (const entry of await opendir(folder.path, { encoding: 'latin1' })) {
    const bytes = Buffer.from(entry.name, 'latin1');
    if (names.size + unreadable >= MOST_NAMES) {
      throw new PathRefused(path, `has more than ${MOST_NAMES} entries, too many to be shown`);
    }
    if (!isUtf8(bytes)) {
      unreadable++;
      continue;
    }
    const name = bytes.toString();
    const type = plainType(entry) ?? (entry.isCharacterDevice() ? await sightingOf(folder, name) : 'other');
    if (type !== null) names.set(name, type);
  }
  return { names, unreadable };
}

function plainType(entry: HasType): 'file' | 'directory' | 'link' | null {
  if (entry.isDirectory()) return 'directory';
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'link' : null;
}

/** Character device 0/0 (Linux, Documentation/filesystems/overlayfs.rst). */
function isWhiteout(stats: { isCharacterDevice(): boolean; rdev: number }): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0;
}
