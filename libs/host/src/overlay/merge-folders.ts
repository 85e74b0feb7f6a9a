import { readdir, rename, rmdir } from 'node:fs/promises';
import type { DirHandle } from './dir-handle.js';
import { hasCode } from './durable.js';
import { ifSwapped, lstatIfAny } from './tree-entries.js';

/** Something of one folder that cannot be put into the other. */
export interface Clash {
  path: string;
  /** What is in its way. */
  there: 'file' | 'folder' | 'link';
}

/**
 * What would be in the way if the content of `from` were put into `into`. Folders never are: their contents are joined.
 * @param path what to call `into`
 * @param replace whether a file may take the place of another one
 */
export async function* clashes(
  from: DirHandle,
  into: DirHandle,
  path: string,
  replace: boolean,
): AsyncGenerator<Clash> {
  for (const entry of await readdir(from.path, { withFileTypes: true })) {
    const there = await lstatIfAny(into.at(entry.name));
    if (there === null) continue;
    const below = path === '' ? entry.name : `${path}/${entry.name}`;
    if (there.isDirectory() && entry.isDirectory()) {
      const both = await openBoth(from, into, entry.name);
      if (both === null) continue;
      try {
        yield* clashes(both.from, both.into, below, replace);
      } finally {
        await both.close();
      }
    } else if (there.isSymbolicLink()) {
      yield { path: below, there: 'link' };
    } else if (there.isDirectory() || entry.isDirectory() || !replace) {
      yield { path: below, there: there.isDirectory() ? 'folder' : 'file' };
    }
  }
}

/** Puts the content of `from` into `into`, where nothing may be in the way. May be repeated: what was moved before is there already. */
export async function mergeFolders(from: DirHandle, into: DirHandle): Promise<void> {
  for (const entry of await readdir(from.path, { withFileTypes: true })) {
    const there = await lstatIfAny(into.at(entry.name));
    if (there === null || !there.isDirectory()) {
      await rename(from.at(entry.name), into.at(entry.name));
      continue;
    }
    const both = await openBoth(from, into, entry.name);
    if (both === null) continue;
    try {
      await mergeFolders(both.from, both.into);
    } finally {
      await both.close();
    }
    await removeEmptied(from, entry.name);
  }
}

/** Removes a folder whose content went elsewhere. It stays if somebody has put something into it meanwhile. */
export async function removeEmptied(parent: DirHandle, name: string): Promise<void> {
  try {
    await rmdir(parent.at(name));
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'ENOENT', 'ENOTDIR')) throw error;
  }
}

async function openBoth(from: DirHandle, into: DirHandle, name: string) {
  const source = await from.child(name).catch(ifSwapped);
  if (source === null) return null;
  try {
    const target = await into.child(name);
    return {
      from: source,
      into: target,
      close: async () => {
        await source.close();
        await target.close();
      },
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}
