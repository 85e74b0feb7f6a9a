import { constants } from 'node:fs';
import { copyFile, lchown, lstat, mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InstanceFolder } from '../instances/instance-folder.js';
import { hasCode } from '../overlay/durable.js';
import { removeIfEmpty, removeTree } from '../overlay/remove-tree.js';
import { inspect, isBelowOwn, isOwn, readManifest, saveManifest, stampOf } from './copy-manifest.js';
import { type LayerEntry, mergeLayers } from './merge-layers.js';
import { giveOwnFiles } from './own-files.js';

export interface ComposeRequest {
  /** Absolute, topmost first; the first is the generated layer, which `hide` does not apply to. */
  layers: readonly string[];
  hide: readonly string[];
  /** Whom the files shall belong to, when this process may choose (uid 0); null otherwise. */
  owner: number | null;
}

/** Brings instances/<name>/copy up to date. Only for a server that does not run; an interrupted one is finished by the next. */
export async function composeCopy(
  folder: InstanceFolder,
  request: ComposeRequest,
  report: (line: string) => void,
): Promise<void> {
  const root = folder.copy();
  const anew = (await mkdir(root, { recursive: true })) !== undefined;
  if (request.owner !== null) await lchown(root, request.owner, request.owner);
  // A manifest that outlived its copies would say that the server has deleted them all.
  if (anew) await rm(folder.copyManifest(), { force: true });
  const manifest = await readManifest(folder);
  await giveOwnFiles(folder, manifest, request.owner);
  const wanted = await mergeLayers(request.layers, request.hide);
  const present = await inspect(root, manifest);

  for (const path of Object.keys(manifest.entries).sort().reverse()) {
    if (wanted.has(path)) continue;
    if (present.get(path) === 'ours') await removeOne(join(root, path));
    delete manifest.entries[path];
  }

  const stale = [...wanted.values()].filter((entry) => {
    const state = present.get(entry.path);
    if (isOwn(state) || state === 'deleted' || isBelowOwn(entry.path, present)) return false;
    return state === undefined || manifest.entries[entry.path]?.origin !== originOf(entry);
  });
  manifest.writing = stale.map((entry) => entry.path);
  await saveManifest(folder, manifest);
  let shown = 0;
  for (const [i, entry] of stale.entries()) {
    await putOne(root, entry, request.owner);
    manifest.entries[entry.path] = { origin: originOf(entry), stamp: await stampOf(join(root, entry.path)) };
    const percent = Math.floor(((i + 1) / stale.length) * 10) * 10;
    if (percent > shown) report(`copying the layers: ${percent} %`);
    shown = Math.max(shown, percent);
  }
  manifest.writing = [];
  await saveManifest(folder, manifest);
  report(`copied ${stale.length} of ${wanted.size} entries (user namespaces are not available)`);
}

async function putOne(root: string, entry: LayerEntry, owner: number | null): Promise<void> {
  const target = join(root, entry.path);
  const existing = await lstat(target).catch(() => null);
  if (entry.type === 'directory') {
    if (existing !== null && !existing.isDirectory()) await rm(target);
    await mkdir(target, { recursive: true });
  } else {
    if (existing !== null) await removeTree(target);
    await mkdir(dirname(target), { recursive: true });
    if (entry.type === 'link') await symlink(await readlink(entry.source), target);
    else await copyFile(entry.source, target, constants.COPYFILE_FICLONE);
  }
  if (owner !== null) await lchown(target, owner, owner);
}

/** A folder goes only when nothing of the server's is left in it. */
async function removeOne(path: string): Promise<void> {
  try {
    await rm(path);
  } catch (error) {
    if (!hasCode(error, 'EISDIR', 'ERR_FS_EISDIR', 'EPERM')) throw error;
    await removeIfEmpty(path);
  }
}

/** What the entry was made of: another revision or build, or a file that was replaced, is another origin. */
function originOf(entry: LayerEntry): string {
  return entry.type === 'directory' ? 'directory' : `${entry.source}:${entry.version}`;
}
