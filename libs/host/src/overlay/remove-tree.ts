import { randomBytes } from 'node:crypto';
import { readdir, rename, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DirHandle } from './dir-handle.js';
import { hasCode, isTemporary } from './durable.js';

/** Folders open at once, one below the other. */
const MAX_DEPTH = 32;
/** How often a folder is emptied again that somebody still writes to. */
const ATTEMPTS = 3;

/**
 * Removes whatever servers, scripts or overlayfs wrote: folders without permissions (overlayfs's `work/work` has mode 000), paths longer
 * than the system takes, names that are not UTF-8, any depth. Follows no link. Missing: success.
 */
export async function removeTree(path: string): Promise<void> {
  if (await unlinked(path)) return;
  for (let attempt = 1; ; attempt++) {
    try {
      const root = await DirHandle.openToEmpty(path);
      try {
        while (await empty(root, root, 1));
      } finally {
        await root.close();
      }
      return await rmdir(path);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      if (!hasCode(error, 'ENOTEMPTY') || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * Removes what a killed worker left unfinished in a folder. For whoever has that folder to itself. Missing: success. One that cannot be
 * removed stops no other; throws `AggregateError` then.
 */
export async function removeUnfinished(folder: string): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw error;
  }
  const failed: unknown[] = [];
  for (const name of names.filter(isTemporary)) {
    await removeTree(join(folder, name)).catch((error: unknown) => failed.push(error));
  }
  if (failed.length > 0) throw new AggregateError(failed, failed.map(String).join('; '));
}

/** A folder that something is in stays. */
export async function removeIfEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY')) throw error;
  }
}

/**
 * Empties a folder. What is too deep to be reached with few descriptors goes up to the root, to be met there.
 * @returns whether something went to the root
 */
async function empty(folder: DirHandle, root: DirHandle, depth: number): Promise<boolean> {
  let raised = false;
  // As bytes: a name that is not UTF-8 could not be found again by its text.
  for (const name of await readdir(folder.path, { encoding: 'buffer' })) {
    const path = folder.atBytes(name);
    if (await unlinked(path)) continue;
    const child = await DirHandle.openToEmpty(path);
    try {
      if (depth < MAX_DEPTH) {
        raised = (await empty(child, root, depth + 1)) || raised;
      } else {
        await rename(path, root.at(randomBytes(16).toString('hex')));
        raised = true;
        continue;
      }
    } finally {
      await child.close();
    }
    await rmdir(path);
  }
  return raised;
}

/** Whether nothing is there any more; false for a folder. */
async function unlinked(path: string | Buffer): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    if (hasCode(error, 'EISDIR')) return false;
    throw error;
  }
}
