import { mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { redisConnection } from '../src/config/redis-connection.js';
import { freePort } from '../src/embedded/free-port.js';
import {
  type Answer,
  forgetPackages,
  Panel,
  type Person,
  people,
  person,
  processesNaming,
  type Who,
} from './embedded-panel.js';

const cleanUp: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const work of cleanUp.splice(0).toReversed()) await work();
});
afterAll(forgetPackages);

describe.each(await people())('the embedded services, run by %s', (who) => {
  it('keep their data over a stop and a start', { timeout: 120_000 }, async () => {
    const somebody = await aPerson(who);
    const first = await aPanel(somebody);
    await write(first.answer, 'kept');
    await first.end('SIGTERM');
    expect(await first.survivors()).toEqual([]);
    expect(await processesNaming(somebody.root)).toEqual([]);

    const second = await aPanel(somebody);
    expect(await read(second.answer)).toEqual({ row: 'kept', key: 'kept' });
    expect(second.answer.databaseUrl).toBe(first.answer.databaseUrl);
  });

  it('die with a killed panel, and the next one finds what was written', { timeout: 120_000 }, async () => {
    const somebody = await aPerson(who);
    const killed = await aPanel(somebody);
    await write(killed.answer, 'survived');
    await killed.end('SIGKILL');

    // At once: the old servers may still be shutting down.
    const next = await aPanel(somebody);
    expect(await killed.survivors()).toEqual([]);
    expect(await read(next.answer)).toEqual({ row: 'survived', key: 'survived' });

    await next.end('SIGKILL');
    await vi.waitFor(async () => expect(await processesNaming(somebody.root)).toEqual([]), 60_000);
  });

  it('refuse a second panel on the same folder, naming it and who holds it', { timeout: 120_000 }, async () => {
    const somebody = await aPerson(who);
    const first = await aPanel(somebody);
    const second = await aPanel(somebody);
    expect(second.answer).toMatchObject({ error: 'StateLocked' });
    expect(second.answer.message).toContain(somebody.root);
    expect(second.answer.message).toContain(`process ${first.child.pid}`);
    await write(first.answer, 'undisturbed');
  });
});

it(
  'works below a folder whose path is too long for a socket, and removes the short one',
  { timeout: 120_000 },
  async () => {
    const somebody = await person('ourselves', 'a folder with a rather long name/'.repeat(5));
    cleanUp.push(somebody.forget);
    const panel = await aPanel(somebody);
    await write(panel.answer, 'reached');
    const sockets = new URL(panel.answer.databaseUrl).searchParams.get('host') ?? '';
    expect(sockets).toContain('left4me-');
    expect((await stat(sockets)).mode & 0o777).toBe(0o700);
    await panel.end('SIGTERM');
    await expect(stat(sockets)).rejects.toThrow('ENOENT');
  },
);

it('is not held up by files a power cut left behind', { timeout: 120_000 }, async () => {
  const somebody = await aPerson('ourselves');
  const first = await aPanel(somebody);
  await write(first.answer, 'there');
  const pidFile = join(somebody.root, 'postgres', 'postmaster.pid');
  const [, ...rest] = (await readFile(pidFile, 'utf8')).split('\n');
  await first.end('SIGTERM');
  // The id in the file belongs to a living process that is none of ours: this test.
  await writeFile(pidFile, [process.pid, ...rest].join('\n'));
  await writeFile(join(somebody.root, 'run', 'postgres.json'), '{"pid":');
  await writeFile(join(somebody.root, 'run', 'redis.sock'), '');
  await mkdir(join(somebody.root, 'postgres.new'));

  const second = await aPanel(somebody);
  expect(await read(second.answer)).toEqual({ row: 'there', key: 'there' });
});

it('sets aside what Redis cannot read, and says so in a folder name', { timeout: 120_000 }, async () => {
  const somebody = await aPerson('ourselves');
  const first = await aPanel(somebody);
  await write(first.answer, 'lost');
  await first.end('SIGTERM');
  const log = join(somebody.root, 'redis', 'appendonlydir');
  for (const file of await readdir(log))
    await writeFile(join(log, file), 'nothing that Redis understands\n'.repeat(20));

  const second = await aPanel(somebody);
  expect(await read(second.answer)).toEqual({ row: 'lost', key: null });
  expect(await readdir(somebody.root)).toContain('redis.unreadable');
});

it('takes TypeORM connections by the same URL', { timeout: 120_000 }, async () => {
  const somebody = await aPerson('ourselves');
  const panel = await aPanel(somebody);
  const source = await new DataSource({ type: 'postgres', url: panel.answer.databaseUrl }).initialize();
  const rows: unknown = await source.query(
    "SELECT current_database() AS name, inet_server_addr() AS address, current_setting('fsync') AS fsync",
  );
  await source.destroy();
  expect(rows).toEqual([{ name: 'left4me', address: null, fsync: 'on' }]);
});

it('finds the next free port when the preferred one is taken', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const taken = typeof address === 'object' && address ? address.port : 0;
  const port = await freePort(taken, '127.0.0.1');
  expect(port).not.toBe(taken);
  await new Promise((resolve) => server.close(resolve));
  expect(await freePort(taken, '127.0.0.1')).toBe(taken);
});

async function aPerson(who: Who): Promise<Person> {
  const somebody = await person(who);
  cleanUp.push(somebody.forget);
  return somebody;
}

async function aPanel(somebody: Person): Promise<Panel> {
  const panel = await Panel.start(somebody);
  cleanUp.push(() => panel.end('SIGTERM'));
  return panel;
}

async function write(answer: Answer, text: string): Promise<void> {
  expect(answer.error, answer.message).toBeUndefined();
  const client = new pg.Client({ connectionString: answer.databaseUrl });
  await client.connect();
  await client.query('CREATE TABLE note (text text)');
  await client.query('INSERT INTO note VALUES ($1)', [text]);
  await client.end();
  const redis = new Redis(redisConnection(answer.redisUrl));
  await redis.set('note', text);
  redis.disconnect();
}

async function read(answer: Answer): Promise<{ row: string | undefined; key: string | null }> {
  expect(answer.error, answer.message).toBeUndefined();
  const client = new pg.Client({ connectionString: answer.databaseUrl });
  await client.connect();
  const { rows } = await client.query<{ text: string }>('SELECT text FROM note');
  await client.end();
  const redis = new Redis(redisConnection(answer.redisUrl));
  const key = await redis.get('note');
  redis.disconnect();
  return { row: rows[0]?.text, key };
}
