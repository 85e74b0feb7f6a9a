import { randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';

type Standing = 'folder' | 'link';

/** To await before the turn of this number: of eight, two find the folder throughout, two the link, four what chance brings. */
export type Turn = (i: number) => Promise<void>;

/** Both are met whatever the load of the machine; two in a row, for work that goes there and back. */
const HELD: (Standing | undefined)[] = ['folder', 'folder', 'link', 'link'];
const TURNS = 8;

/**
 * Does the work while a folder is a link to another place every second moment; it is the folder again afterwards.
 * @param aside an existing folder on the same disk, for what is out of the way
 */
export async function whileSwapped(
  { folder, target, aside }: { folder: string; target: string; aside: string },
  work: (turn: Turn) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const moment: { held?: Standing | undefined; stands?: Standing | undefined } = {};
  const stay = async (as: Standing): Promise<void> => {
    moment.stands = as;
    do await new Promise(setImmediate);
    while (moment.held === as && !over.signal.aborted);
    moment.stands = undefined;
  };
  const turn: Turn = async (i) => {
    moment.held = HELD[i % TURNS];
    while (moment.held && moment.stands !== moment.held && !over.signal.aborted) await new Promise(setImmediate);
  };
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
      await stay('link');
      await rm(folder);
      await into(() => rename(own, folder));
      await stay('folder');
    }
  };
  const swapping = swap();
  swapping.catch(() => over.abort()); // thrown below
  try {
    await work(turn);
  } finally {
    over.abort();
    await swapping;
  }
}

const REFUSED = ['path-refused', 'not-found', 'ENOENT'];

/** How often it was done and how often refused. Whatever else it throws is thrown. */
export async function outcomesOf(times: number, turn: Turn, work: (i: number) => Promise<unknown>) {
  const outcomes = { done: 0, refused: 0 };
  for (let i = 0; i < times; i++) {
    await turn(i);
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
