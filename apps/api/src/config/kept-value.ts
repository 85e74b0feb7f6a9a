import { randomUUID } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';

/**
 * A value that is made once and kept in a file of its own. Of processes that start together all get the same one; a file that is there
 * is whole, whenever the power goes.
 */
export async function keptIn(file: string, make: () => string): Promise<string> {
  const known = await readIfThere(file);
  if (known) return known;
  const temporary = `${file}.${randomUUID()}`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${make()}\n`);
    await handle.sync();
    await link(temporary, file);
  } catch (error) {
    // Another process was faster.
    if (!isSystemError(error, 'EEXIST')) throw error;
  } finally {
    await handle.close();
    await unlink(temporary);
  }
  const kept = await readIfThere(file);
  if (!kept) throw new Error(`${file} is empty. If nothing was lost with it, remove it.`);
  return kept;
}

/** The value kept in a file; null when there is none. */
export async function readIfThere(file: string): Promise<string | null> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return null;
    throw error;
  }
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
