import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NotFound, PathRefused } from '../errors.js';
import type { InstanceFolder } from '../instances/instance-folder.js';
import { inspect, isOwn, readManifest, saveManifest } from '../launcher/copy-manifest.js';
import { DirHandle } from '../overlay/dir-handle.js';
import { hasCode } from '../overlay/durable.js';
import { pathParts } from '../overlay/relative-path.js';
import { sightingOf } from './sightings.js';

const NOT_OWN = 'is none of the files that the server wrote itself';

/**
 * Moves what the server wrote at a path out of its tree, in one step, to a folder. Only while its lock is held.
 * @param removed is made; nobody else's, or whoever empties it would take this with it
 * @throws NotFound, PathRefused
 */
export async function putAway(
  folder: InstanceFolder,
  isolation: 'namespaces' | 'copy',
  path: string,
  removed: string,
): Promise<void> {
  const parts = pathParts(path);
  await mkdir(removed, { recursive: true });
  if (isolation === 'copy') await putAwayFromCopy(folder, path, removed);
  else await moveOut(folder.upper(), parts, join(removed, '0'));
}

/** The manifest forgets what the layers have there first, so that the next composition brings it: it is not what the server deleted. */
async function putAwayFromCopy(folder: InstanceFolder, path: string, removed: string): Promise<void> {
  const manifest = await readManifest(folder);
  const states = await inspect(folder.copy(), manifest);
  const within = [...states].filter(([other]) => other === path || other.startsWith(`${path}/`));
  const own = new Set(within.filter(([, state]) => isOwn(state)).map(([other]) => other));
  if (own.size === 0) {
    if (states.get(path) === undefined || states.get(path) === 'deleted') throw new NotFound(path);
    throw new PathRefused(path, NOT_OWN);
  }
  for (const [other, state] of within) if (state !== 'ours') delete manifest.entries[other];
  await saveManifest(folder, manifest);
  const tops = [...own].filter((other) => !own.has(dirname(other)));
  for (const [i, top] of tops.entries()) await moveOut(folder.copy(), top.split('/'), join(removed, String(i)));
}

async function moveOut(tree: string, parts: readonly string[], to: string): Promise<void> {
  const path = parts.join('/');
  const name = parts.at(-1) ?? '';
  const top = await DirHandle.open(tree);
  try {
    const parent = await top.descend(parts.slice(0, -1));
    try {
      const type = await sightingOf(parent, name);
      if (type === null || type === 'whiteout') throw new PathRefused(path, NOT_OWN);
      await parent.openToOwner();
      // Moving a folder takes the right to write to it.
      if (type === 'directory') await (await DirHandle.openToEmpty(parent.at(name))).close();
      await rename(parent.at(name), to);
      await parent.sync();
    } finally {
      await parent.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw new PathRefused(path, NOT_OWN);
    throw error;
  } finally {
    await top.close();
  }
}
