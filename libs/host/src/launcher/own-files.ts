import { lchown, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InstanceFolder } from '../instances/instance-folder.js';
import { DirHandle } from '../overlay/dir-handle.js';
import { hasCode } from '../overlay/durable.js';
import { removeIfEmpty, removeTree } from '../overlay/remove-tree.js';
import { lstatIfAny } from '../overlay/tree-entries.js';
import { inspect, isOwn, type Manifest, readManifest, saveManifest } from './copy-manifest.js';
import { walkFolder } from './merge-layers.js';
import { moveUnnamed } from './unnamed-entries.js';

/** Moves what the server wrote or changed to `upper`, where it would be without the fallback; the rest of the copies is of no use then. */
export async function takeOwnFiles(folder: InstanceFolder): Promise<void> {
  const root = folder.copy();
  await openFolders(root);
  for (const [path, state] of await inspect(root, await readManifest(folder))) {
    if (!isOwn(state)) continue;
    const target = join(folder.upper(), path);
    if (state === 'own folder') await mkdir(target, { recursive: true });
    else {
      await mkdir(dirname(target), { recursive: true });
      await rename(join(root, path), target);
    }
  }
  await moveUnnamed(root, folder.upper());
}

/**
 * The other way round, for what was restored to `upper`. What a server without the fallback deleted is deleted here, too: whiteouts become
 * entries of the manifest. A folder that it deleted and made anew has none for what was in it: overlayfs marks the folder, and here the
 * layers' files are there again.
 */
export async function giveOwnFiles(folder: InstanceFolder, manifest: Manifest, owner: number | null): Promise<void> {
  await openFolders(folder.upper());
  const given = await walkFolder(folder.upper());
  const folders = given.filter(({ type }) => type === 'directory');
  for (const { path, type, source } of given) {
    const target = join(folder.copy(), path);
    const existing = await lstatIfAny(target);
    if (existing !== null && (type !== 'directory' || !existing.isDirectory())) await removeTree(target);
    if (type !== 'directory') await rename(source, target);
    else if (existing?.isDirectory() !== true) {
      await mkdir(target);
      if (owner !== null) await lchown(target, owner, owner);
    }
  }
  await moveUnnamed(folder.upper(), folder.copy());
  for (const { path } of [{ path: '' }, ...folders]) await giveDeletions(folder, path, manifest);
  // A folder that stayed would be given again at each start, over what the server has made of it meanwhile.
  for (const { source } of folders.toReversed()) await removeIfEmpty(source);
}

/** Of one folder; and removes what has no content and would keep the folder from going: FIFOs, sockets. */
async function giveDeletions(folder: InstanceFolder, path: string, manifest: Manifest): Promise<void> {
  const entries = await readdir(join(folder.upper(), path), { withFileTypes: true });
  const special = entries.filter((entry) => !entry.isDirectory() && !entry.isFile() && !entry.isSymbolicLink());
  const whiteouts = special.filter((entry) => entry.isCharacterDevice()).map(({ name }) => join(path, name));
  for (const deleted of whiteouts) {
    await removeTree(join(folder.copy(), deleted));
    manifest.entries[deleted] = { origin: '', stamp: null };
  }
  if (whiteouts.length > 0) await saveManifest(folder, manifest);
  for (const { name } of special) await rm(join(folder.upper(), path, name), { force: true });
}

/** Lets their owner into the folders that the server has closed: what is in them is found like the rest. Missing: success. */
async function openFolders(path: string): Promise<void> {
  try {
    await (await DirHandle.openToEmpty(path)).close();
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (entry.isDirectory()) await openFolders(join(path, entry.name));
    }
  } catch (error) {
    // A name that is not UTF-8 goes as it is, and what is too deep cannot be had.
    if (!hasCode(error, 'ENOENT', 'ENAMETOOLONG')) throw error;
  }
}
