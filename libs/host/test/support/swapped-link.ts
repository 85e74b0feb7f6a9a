import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Does the work while a folder is a link to another place every second moment; it is the folder again afterwards.
 * @param aside an existing folder on the same disk, for what is out of the way
 */
export async function whileSwapped(
  { folder, target, aside }: { folder: string; target: string; aside: string },
  work: () => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const own = join(aside, 'own');
  /** Again until it can: the work may have made the folder anew in between. */
  const into = async (put: () => Promise<void>): Promise<void> => {
    for (;;) {
      const done = await put().then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === 'EEXIST' || error.code === 'ENOTEMPTY') return false;
          throw error;
        },
      );
      if (done) return;
      await rename(folder, join(aside, randomUUID()));
    }
  };
  const swap = async (): Promise<void> => {
    while (!over.signal.aborted) {
      await rename(folder, own);
      await into(() => symlink(target, folder));
      await new Promise(setImmediate);
      await rm(folder);
      await into(() => rename(own, folder));
      await new Promise(setImmediate);
    }
  };
  const swapping = swap();
  swapping.catch(() => undefined); // thrown below
  try {
    await work();
  } finally {
    over.abort();
    await swapping;
  }
}

const REFUSED = ['path-refused', 'not-found', 'ENOENT'];

/** How often it was done and how often refused. Whatever else it throws is thrown. */
export async function outcomesOf(times: number, work: (i: number) => Promise<unknown>) {
  const outcomes = { done: 0, refused: 0 };
  for (let i = 0; i < times; i++) {
    try {
      await work(i);
      outcomes.done++;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && REFUSED.includes(String(error.code)))) throw error;
      outcomes.refused++;
    }
  }
  return outcomes;
}

/** Every file below a folder, with its content; folders end with `/`. */
export async function contentsOf(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const below = path.slice(folder.length + 1);
    if (entry.isDirectory()) found[`${below}/`] = '';
    else found[below] = entry.isFile() ? await readFile(path, 'utf8') : 'no file';
  }
  return found;
}
