import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { PathRefused } from '../errors.js';
import type { DirHandle } from './dir-handle.js';
import { lstatIfAny } from './tree-entries.js';

export interface Place {
  parent: DirHandle;
  name: string;
  /** What to call it in errors. */
  path: string;
}

/**
 * Gives a tree that was prepared elsewhere on the same disk its place. Merged, everything that would meet something of another kind is
 * found before anything is moved. Throws `PathRefused`.
 * @param replaced where the folder goes that was there before
 */
export async function placeTree(
  made: string,
  place: Place,
  mode: 'replace' | 'merge',
  replaced: string,
): Promise<void> {
  const { parent, name, path } = place;
  const there = await lstatIfAny(parent.at(name));
  if (there !== null && !there.isDirectory()) throw new PathRefused(path, 'is a file or a link, not a folder');
  if (there !== null && mode === 'merge') {
    const folder = await parent.child(name);
    try {
      await mergeInto(made, folder, path, false);
      await mergeInto(made, folder, path, true);
      await folder.sync();
    } finally {
      await folder.close();
    }
    return;
  }
  if (there !== null) await rename(parent.at(name), replaced);
  try {
    await rename(made, parent.at(name));
  } catch (error) {
    if (there !== null) await rename(replaced, parent.at(name));
    throw error;
  }
}

/** @param move false: only looks whether everything can be */
async function mergeInto(from: string, folder: DirHandle, path: string, move: boolean): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const below = path === '' ? entry.name : `${path}/${entry.name}`;
    const there = await lstatIfAny(folder.at(entry.name));
    if (there !== null && (there.isDirectory() !== entry.isDirectory() || there.isSymbolicLink())) {
      throw new PathRefused(
        below,
        there.isDirectory() ? 'is a folder here, a file in the archive' : 'is a file here, a folder in the archive',
      );
    }
    if (there?.isDirectory() === true) {
      const child = await folder.child(entry.name);
      try {
        await mergeInto(source, child, below, move);
      } finally {
        await child.close();
      }
    } else if (move) {
      await rename(source, folder.at(entry.name));
    }
  }
}
