import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectionOptions, databaseOptions, openDatabase } from '../src/database/data-source.js';
import { migrations } from '../src/database/migrations/index.js';
import { type FreshDatabase, freshDatabase } from './database.js';

let fresh: FreshDatabase;
beforeAll(async () => {
  fresh = await freshDatabase();
});
afterAll(() => fresh.drop());

it('is migrated once by processes that start together', async () => {
  const opened = await Promise.all(Array.from({ length: 4 }, () => openDatabase(fresh.url)));
  const rows: unknown[] = (await opened[0]?.query('SELECT name FROM migrations')) ?? [];
  expect(rows).toHaveLength(migrations.length);
  await Promise.all(opened.map((database) => database.destroy()));
});

it('is what the entities say', async () => {
  const database = await openDatabase(fresh.url);
  const { upQueries } = await database.driver.createSchemaBuilder().log();
  expect(upQueries.map((query) => query.query)).toEqual([]);
  await database.destroy();
});

it('can be taken back and made again', async () => {
  const database = await new DataSource(databaseOptions(fresh.url)).initialize();
  for (const _ of migrations) await database.undoLastMigration();
  expect(
    await database.query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'migrations'`),
  ).toEqual([]);
  await database.runMigrations();
  await database.destroy();
});

it('masks what servers were given before it was written down', async () => {
  const database = await new DataSource(databaseOptions(fresh.url)).initialize();
  const sql = (text: string, values: unknown[] = []) => database.query(text, values);
  while ((await sql(`SELECT 1 FROM migrations WHERE name LIKE 'GivenValues%'`)).length > 0)
    await database.undoLastMigration();
  await sql(`INSERT INTO users (id, name, password_hash, role) VALUES (1, 'anna', 'x', 'user')`);
  await sql(`INSERT INTO hosts (id, name) VALUES (1, 'local')`);
  await sql(`INSERT INTO runtime_builds (id, host_id, build, demo, bytes, installed_at, current)
    VALUES (1, 1, 'one', true, 1, now(), true)`);
  await sql(`INSERT INTO blueprints (id, owner_id, name) VALUES (1, 1, 'versus')`);
  await sql(`INSERT INTO secrets (id, owner_id, name, sealed, former) VALUES
    (1, 1, 'GIVEN', 'now', ARRAY['before', 'first']::bytea[]), (2, 1, 'OTHER', 'other', '{}')`);
  await sql(`INSERT INTO servers (id, name, title, port, host_id, blueprint_id, owner_id, rcon_password)
    VALUES (1, 'alpha', 'alpha', 27015, 1, 1, 1, 'x')`);
  for (const number of [1, 2])
    await sql(
      `INSERT INTO generations (server_id, number, runtime_build_id, spec_hash, recipe) VALUES (1, $1, 1, 'x', $2)`,
      [number, { secrets: [{ id: 1, name: 'GIVEN', version: 3 }] }],
    );
  await sql(`INSERT INTO trash_entries (id, host_id, path, server_name, server_id, deleted_at)
    VALUES (1, 1, '1/1', 'alpha', 1, now())`);
  await database.runMigrations();
  const given = await sql(
    `SELECT convert_from(sealed, 'UTF8') AS sealed FROM given_values WHERE server_id = 1 ORDER BY sealed`,
  );
  expect(given).toEqual([{ sealed: 'before' }, { sealed: 'first' }, { sealed: 'now' }]);
  const [{ count }] = await sql(`SELECT count(*)::int FROM given_values WHERE trash_entry_id = 1`);
  expect(count).toBe(3);
  await database.destroy();
});

it('outlives a connection that breaks while nobody listens to it', async () => {
  const client = new connectionOptions.Client(fresh.url);
  await client.connect();
  // As when PostgreSQL ends a connection that one user has just given back and another is about to get.
  expect(client.emit('error', new Error('terminating connection due to administrator command'))).toBe(true);
  await client.end();
});
