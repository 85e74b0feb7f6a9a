import { chmod, lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, isTemporary } from './durable.js';

/**
 * Removes a folder that servers or overlayfs wrote to: folders without permissions (overlayfs's `work/work` has mode 000)
 * are opened first. Follows no link. Missing: success.
 */
export async function removeTree(path: string): Promise<void> {
  await openFolders(path);
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** Removes what a killed worker left unfinished in a folder. For whoever has that folder to itself. Missing: success. */
export async function removeUnfinished(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  for (const name of names.filter(isTemporary)) await removeTree(join(folder, name));
}

async function openFolders(path: string): Promise<void> {
  let mode: number;
  try {
    const stat = await lstat(path);
    if (!stat.isDirectory()) return;
    mode = stat.mode;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  if ((mode & 0o700) !== 0o700) await chmod(path, 0o700);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await openFolders(join(path, entry.name));
  }
}
