import { lstat, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InstanceFolder } from '../instances/instance-folder.js';
import { hasCode, writeFileDurably } from '../overlay/durable.js';
import { walkFolder } from './merge-layers.js';

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
