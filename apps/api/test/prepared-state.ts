import { execFile } from 'node:child_process';
import { access, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { inject } from 'vitest';

const execute = promisify(execFile);
/** Any number that no other advisory lock of the tests' PostgreSQL uses. */
const LOCK = 4_640_002;
/** Its builds are never changed, and each has a hundred megabytes. */
const LINKED = 'installation';

/**
 * Fills a state folder with what a first start and an install have made of another one, once per run: both take seconds.
 * @param prepare makes that; the path of a state folder whose panel has been stopped, which is taken
 */
export async function fillPrepared(root: string, prepare: () => Promise<string>): Promise<void> {
  const prepared = inject('preparedState');
  await makeOnce(prepared, prepare);
  const copied = (await readdir(prepared)).filter((name) => name !== LINKED);
  await execute('cp', ['--archive', ...copied.map((name) => join(prepared, name)), root]);
  await execute('cp', ['--archive', '--link', join(prepared, LINKED), root]);
}

/** Test files run in several processes: the first one prepares it, the others wait for it. */
async function makeOnce(prepared: string, prepare: () => Promise<string>): Promise<void> {
  const client = new pg.Client({ connectionString: inject('databaseUrl') });
  await client.connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
    const there = await access(prepared).then(
      () => true,
      () => false,
    );
    if (!there) await rename(await prepare(), prepared);
  } finally {
    await client.end();
  }
}
