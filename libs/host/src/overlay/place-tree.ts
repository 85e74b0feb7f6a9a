import { rename } from 'node:fs/promises';
import { Exists, PathRefused } from '../errors.js';
import { DirHandle } from './dir-handle.js';
import { clashes, mergeFolders, removeEmptied } from './merge-folders.js';
import { lstatIfAny } from './tree-entries.js';

export interface Place {
  parent: DirHandle;
  name: string;
  /** What to call it in errors. */
  path: string;
}

/** So many of those in the way are named. */
const NAMED = 10;
const MET = {
  folder: 'is a folder here, a file in the archive',
  file: 'is a file here, a folder in the archive',
  link: 'is a link here',
} as const;

/**
 * Gives a tree that was prepared elsewhere on the same disk its place. Merged, everything that would meet something of another kind is
 * found before anything is moved. Throws `PathRefused`.
 * @param replaced where the folder goes that was there before; null: it stays, and what was made is merged into it
 */
export async function placeTree(made: string, place: Place, replaced: string | null): Promise<void> {
  const { parent, name, path } = place;
  const there = await lstatIfAny(parent.at(name));
  if (there !== null && !there.isDirectory()) throw new PathRefused(path, 'is a file or a link, not a folder');
  if (there === null) return rename(made, parent.at(name));
  if (replaced === null) return mergeInto(made, place);
  await rename(parent.at(name), replaced);
  try {
    await rename(made, parent.at(name));
  } catch (error) {
    await rename(replaced, parent.at(name));
    throw error;
  }
}

/** Moves what is in a folder into the one that has its place already. Throws `Exists` with what is in the way, before anything is moved. */
export async function moveContent(out: DirHandle, name: string, place: Place, replace: boolean): Promise<void> {
  const from = await out.child(name);
  try {
    const into = await place.parent.child(place.name);
    try {
      const met: string[] = [];
      for await (const { path } of clashes(from, into, place.path, replace)) {
        if (met.length === NAMED) throw new Exists(met, true);
        met.push(path);
      }
      if (met.length > 0) throw new Exists(met);
      await mergeFolders(from, into);
      await into.sync();
    } finally {
      await into.close();
    }
  } finally {
    await from.close();
  }
  await removeEmptied(out, name);
}

async function mergeInto(made: string, { parent, name, path }: Place): Promise<void> {
  const from = await DirHandle.open(made);
  try {
    const into = await parent.child(name);
    try {
      for await (const clash of clashes(from, into, path, true)) throw new PathRefused(clash.path, MET[clash.there]);
      await mergeFolders(from, into);
      await into.sync();
    } finally {
      await into.close();
    }
  } finally {
    await from.close();
  }
}
