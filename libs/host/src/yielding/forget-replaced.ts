import { lstat, opendir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../overlay/durable.js';
import { removeTree } from '../overlay/remove-tree.js';

/** How long what was replaced stays. */
export interface KeptReplaced {
  days: number;
  /** All of a server's together; the newest stays whatever it has. */
  bytes: number;
}

const DAY_MS = 24 * 3600_000;
/** What an entry takes at least, so that many empty ones do not count as nothing. */
const ENTRY_BYTES = 4096;

/**
 * Removes what is older than its days, and beyond the size the oldest. What cannot be removed is said, and stays: the server goes on
 * without. @param replaced a folder of such folders, which may be missing
 */
export async function forgetReplaced(
  replaced: string,
  { days, bytes }: KeptReplaced,
  report: (line: string) => void,
): Promise<void> {
  let together = 0;
  const forget = async ({ job, path, at }: Replaced, newest: boolean): Promise<void> => {
    together += await bytesBelow(path);
    const old = Date.now() - at > days * DAY_MS;
    if (newest || (!old && together <= bytes)) return;
    await removeTree(path);
    report(
      `removed replaced/${job}/: ${old ? `it was kept for ${days} days` : `such copies take ${bytes} bytes at most`}`,
    );
  };
  const unless = (what: string) => (error: unknown) =>
    report(`${what} stays: ${error instanceof Error ? error.message : String(error)}`);
  const found = await newestFirst(replaced).catch(unless('what is in replaced/'));
  for (const [i, one] of (found ?? []).entries()) await forget(one, i === 0).catch(unless(`replaced/${one.job}/`));
}

/** What one adoption has replaced. */
interface Replaced {
  job: string;
  path: string;
  /** In ms. */
  at: number;
}

/** A folder's own time is that of the adoption: nothing is put into it later. */
async function newestFirst(replaced: string): Promise<Replaced[]> {
  const found = await Promise.all(
    (await namesIn(replaced)).map(async (job) => {
      const path = join(replaced, job);
      return { job, path, at: (await lstat(path)).mtimeMs };
    }),
  );
  return found.sort((one, other) => other.at - one.at);
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** On the disk. */
async function bytesBelow(folder: string): Promise<number> {
  let bytes = ENTRY_BYTES;
  for await (const entry of await opendir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) bytes += await bytesBelow(path);
    else bytes += Math.max(ENTRY_BYTES, (await lstat(path)).blocks * 512);
  }
  return bytes;
}
