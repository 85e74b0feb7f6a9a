import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';

/** Any number that no other advisory lock of the server's own databases uses. */
const TEMPLATE_LOCK = 4_640_001;
const TEMPLATE = 'left4me_template';

export interface FreshDatabase {
  url: string;
  drop(): Promise<void>;
}

/**
 * A new database for one test or test file. With `migrate`, it is a copy of a template that is migrated once per run,
 * which is much faster than migrating each; migrate must close its connections.
 */
export async function freshDatabase(migrate?: (url: string) => Promise<unknown>): Promise<FreshDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  if (migrate) await ensureTemplate(migrate);
  await administer((client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${migrate ? TEMPLATE : 'template1'}`));
  return {
    url: urlOf(name),
    drop: () => administer((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)),
  };
}

/** The run's Redis, and a prefix (for BullMQ's `prefix`, or in front of keys) that nobody else uses. */
export function freshRedis(): { url: string; prefix: string } {
  return { url: inject('redisUrl'), prefix: `test-${randomBytes(6).toString('hex')}` };
}

async function ensureTemplate(migrate: (url: string) => Promise<unknown>): Promise<void> {
  await administer(async (client) => {
    // Test files run in several processes; the first one makes the template, the others wait for it.
    await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [TEMPLATE]);
    if (rowCount !== 0) return;
    const unfinished = `${TEMPLATE}_new`;
    await client.query(`DROP DATABASE IF EXISTS ${unfinished} WITH (FORCE)`);
    await client.query(`CREATE DATABASE ${unfinished}`);
    await migrate(urlOf(unfinished));
    await client.query(`ALTER DATABASE ${unfinished} RENAME TO ${TEMPLATE}`);
  });
}

async function administer(work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: urlOf('postgres') });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(database: string): string {
  const url = new URL(inject('databaseUrl'));
  url.pathname = `/${database}`;
  return url.toString();
}
