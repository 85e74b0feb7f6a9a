import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../overlay/durable.js';

/** One file, folder or link of a layer. */
export interface LayerEntry {
  path: string;
  type: 'file' | 'directory' | 'link';
  /** Absolute. */
  source: string;
  /** Changes with the content of the source. */
  version: string;
}

/**
 * Every regular file, folder and link below a folder, parents first. Follows no link. Missing: none. What a server can make but nobody can
 * name or read is left out: names that are not UTF-8, paths that are too long, what is in folders that it closed.
 */
export async function walkFolder(root: string, below = ''): Promise<LayerEntry[]> {
  const found: LayerEntry[] = [];
  const names = await unlessUnreadable(readdir(join(root, below)));
  for (const name of names?.sort() ?? []) {
    const path = join(below, name);
    const source = join(root, path);
    const stat = await unlessUnreadable(lstat(source, { bigint: true }));
    if (stat === null) continue;
    const version = `${stat.ino}:${stat.size}:${stat.mtimeNs}`;
    if (stat.isDirectory()) found.push({ path, type: 'directory', source, version }, ...(await walkFolder(root, path)));
    else if (stat.isSymbolicLink()) found.push({ path, type: 'link', source, version });
    else if (stat.isFile()) found.push({ path, type: 'file', source, version });
  }
  return found;
}

async function unlessUnreadable<T>(looked: Promise<T>): Promise<T | null> {
  try {
    return await looked;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES', 'ENAMETOOLONG')) return null;
    throw error;
  }
}

/**
 * What overlayfs would show: the topmost entry of each path; folders merge, anything else hides what is below it.
 * `hide` removes paths of all layers but the topmost (the generated one).
 */
export async function mergeLayers(
  topmostFirst: readonly string[],
  hide: readonly string[],
): Promise<Map<string, LayerEntry>> {
  const merged = new Map<string, LayerEntry>();
  for (const [i, layer] of [...topmostFirst.entries()].reverse()) {
    if (i === 0) for (const path of hide) removeSubtree(merged, path);
    for (const entry of await walkFolder(layer)) {
      const below = merged.get(entry.path);
      if (below?.type === 'directory' && entry.type !== 'directory') removeSubtree(merged, entry.path);
      merged.set(entry.path, entry);
    }
  }
  return merged;
}

function removeSubtree(merged: Map<string, LayerEntry>, path: string): void {
  for (const other of merged.keys()) {
    if (other === path || other.startsWith(`${path}/`)) merged.delete(other);
  }
}
