import { constants } from 'node:fs';
import { copyFile, lchown, lstat, mkdir, readFile, readlink, rename, rm, rmdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InstanceFolder } from '../instances/instance-folder.js';
import { hasCode, writeFileDurably } from '../overlay/durable.js';
import { removeTree } from '../overlay/remove-tree.js';
import { mergeLayers, walkFolder, type LayerEntry } from './merge-layers.js';
import { moveUnnamed } from './unnamed-entries.js';

/**
 * The fallback where user namespaces are forbidden: the layers are copied into one folder (reflinked where the
 * filesystem can; never linked, a server that writes in place would change what others use). The manifest tells what we
 * put there, so that what the server wrote, changed or deleted itself survives the next composition, as it would in upper.
 */
export interface Manifest {
  /** By path. `stamp` is null for what the server deleted. */
  entries: Record<string, { origin: string; stamp: string | null }>;
  /** Paths that were being written when this was saved: ours, whatever they look like now. */
  writing: string[];
}

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
  await giveOwnFiles(folder, request.owner);
  const manifest = await readManifest(folder);
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

/** Moves what the server wrote or changed to `upper`, where it would be without the fallback. */
export async function takeOwnFiles(folder: InstanceFolder): Promise<void> {
  const root = folder.copy();
  const manifest = await readManifest(folder);
  for (const [path, state] of await inspect(root, manifest)) {
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

/** The other way round, for what was restored to `upper`. Whiteouts stay there: they say nothing about copies. */
async function giveOwnFiles(folder: InstanceFolder, owner: number | null): Promise<void> {
  const given = await walkFolder(folder.upper());
  for (const { path, type, source } of given) {
    const target = join(folder.copy(), path);
    const existing = await lstat(target).catch(ifMissing);
    if (existing !== null && (type !== 'directory' || !existing.isDirectory())) await removeTree(target);
    if (type !== 'directory') await rename(source, target);
    else if (existing?.isDirectory() !== true) {
      await mkdir(target);
      if (owner !== null) await lchown(target, owner, owner);
    }
  }
  await moveUnnamed(folder.upper(), folder.copy());
  // A folder that stayed would be given again at each start, over what the server has made of it meanwhile.
  for (const { type, source } of given.toReversed()) if (type === 'directory') await removeIfEmpty(source);
}

function ifMissing(error: unknown): null {
  if (hasCode(error, 'ENOENT')) return null;
  throw error;
}

export type Presence = 'ours' | 'own file' | 'own folder' | 'deleted';

export function isOwn(state: Presence | undefined): boolean {
  return state === 'own file' || state === 'own folder';
}

/** What has become of each path. */
export async function inspect(root: string, manifest: Manifest): Promise<Map<string, Presence>> {
  const states = new Map<string, Presence>();
  const writing = new Set(manifest.writing);
  for (const path of Object.keys(manifest.entries)) states.set(path, 'deleted');
  for (const path of writing) states.delete(path);
  for (const { path, type } of await walkFolder(root)) {
    if (writing.has(path)) continue; // neither: it is written again
    const entry = manifest.entries[path];
    const ours = entry !== undefined && entry.stamp === (await stampOf(join(root, path)));
    states.set(path, ours ? 'ours' : type === 'directory' ? 'own folder' : 'own file');
  }
  return states;
}

/** Below a file of the server's, or a folder it deleted: there overlayfs would show nothing either. */
export function isBelowOwn(path: string, present: ReadonlyMap<string, Presence>): boolean {
  for (let parent = dirname(path); parent !== '.'; parent = dirname(parent)) {
    const state = present.get(parent);
    if (state === 'own file' || state === 'deleted') return true;
  }
  return false;
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

async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY')) throw error;
  }
}

/** What the entry was made of: another revision or build, or a file that was replaced, is another origin. */
function originOf(entry: LayerEntry): string {
  return entry.type === 'directory' ? 'directory' : `${entry.source}:${entry.version}`;
}

/** Changes whenever the entry itself is written or replaced. Folders only exist. */
export async function stampOf(path: string): Promise<string> {
  const stat = await lstat(path, { bigint: true });
  if (stat.isDirectory()) return 'directory';
  return `${stat.ino}:${stat.size}:${stat.mtimeNs}`;
}

export async function saveManifest(folder: InstanceFolder, manifest: Manifest): Promise<void> {
  await writeFileDurably(folder.copyManifest(), JSON.stringify(manifest), 0o640);
}

export async function readManifest(folder: InstanceFolder): Promise<Manifest> {
  const manifest: Manifest = { entries: {}, writing: [] };
  let value: unknown;
  try {
    value = JSON.parse(await readFile(folder.copyManifest(), 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return manifest;
    throw error;
  }
  if (typeof value !== 'object' || value === null || !('entries' in value) || !('writing' in value)) return manifest;
  if (typeof value.entries === 'object' && value.entries !== null) {
    for (const [path, entry] of Object.entries(value.entries)) {
      const { origin, stamp }: { origin?: unknown; stamp?: unknown } = Object(entry);
      if (typeof origin === 'string')
        manifest.entries[path] = { origin, stamp: typeof stamp === 'string' ? stamp : null };
    }
  }
  if (Array.isArray(value.writing)) {
    manifest.writing = value.writing.filter((path): path is string => typeof path === 'string');
  }
  return manifest;
}
