import { constants } from 'node:fs';
import { copyFile, lstat, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../host.js';
import { hasCode, temporaryName } from '../overlay/durable.js';
import { SteamFailed } from './steam-failed.js';

/** Of the game, where Steam does not say: from memory, it was 9–10 GB for years. */
const GAME_BYTES = 10e9;
/** What Steam needs besides the files while it works on them. */
const RESERVE = 1.1;

/** What a new build needs on the disk. */
export interface DiskNeed {
  /** Of the build that is copied first; null without one. */
  copy: { build: string; bytes: number } | null;
  /** Of the game, as Steam says; null when it does not. */
  gameBytes: number | null;
}

/**
 * Says how much disk a new build in `folder` needs, and how much there is. Throws `SteamFailed` (disk-full) when it is not enough: half a
 * copy helps nobody, and a full disk hurts everybody's servers.
 */
export async function checkDiskSpace(folder: string, { copy, gameBytes }: DiskNeed, { output }: Run): Promise<void> {
  const shares = copy !== null && (await sharesContent(folder));
  const whole = Math.max(gameBytes ?? GAME_BYTES, copy?.bytes ?? 0);
  const needed = copy === null ? whole * RESERVE : (shares ? 0 : copy.bytes) + whole * (RESERVE - 1);
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const need = `A new build needs about ${gigabytes(needed)} on the disk of ${folder}`;
  await output.write('stdout', `${need} (${reason(copy, shares)}); ${gigabytes(free)} are free.`);
  if (needed > free) {
    throw new SteamFailed('disk-full', { more: `${need}, and ${gigabytes(free)} are free` });
  }
}

function reason(copy: DiskNeed['copy'], shares: boolean): string {
  if (copy === null) return 'the whole game';
  const what = `a copy of build ${copy.build}, which running servers may use, and the update`;
  return shares ? `${what}; this filesystem lets the copy share what is unchanged` : what;
}

/** Whether a copy on this filesystem takes no space until one of the two is changed (reflink). */
async function sharesContent(folder: string): Promise<boolean> {
  const from = temporaryName(join(folder, 'x'));
  const to = temporaryName(join(folder, 'x'));
  try {
    await writeFile(from, 'x'.repeat(4096));
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'EXDEV', 'ENOSYS', 'ENOTTY')) return false;
    throw error;
  } finally {
    await Promise.all([from, to].map((path) => rm(path, { force: true })));
  }
}

/** The size of all files of a tree, in bytes. */
export async function treeBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    bytes += entry.isDirectory() ? await treeBytes(child) : (await lstat(child)).size;
  }
  return bytes;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
