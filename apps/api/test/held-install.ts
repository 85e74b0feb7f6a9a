import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a panel has to be started with, so that its installs can be held. */
export const HOLDABLE = { NODE_OPTIONS: `--import ${new URL('fixtures/held-install.mjs', import.meta.url).href}` };

/**
 * From now on an install of another build stops in the middle, when it has printed five lines: whether it is still running when a test has
 * looked is not left to chance.
 * @returns lets it go on, which takes two more seconds
 */
export async function holdInstalls(root: string): Promise<() => Promise<void>> {
  const hold = join(root, 'held-install');
  await writeFile(hold, '');
  return () => rm(hold, { force: true });
}
