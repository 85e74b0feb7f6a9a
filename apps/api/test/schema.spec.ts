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

it('outlives a connection that breaks while nobody listens to it', async () => {
  const client = new connectionOptions.Client(fresh.url);
  await client.connect();
  // As when PostgreSQL ends a connection that one user has just given back and another is about to get.
  expect(client.emit('error', new Error('terminating connection due to administrator command'))).toBe(true);
  await client.end();
});
