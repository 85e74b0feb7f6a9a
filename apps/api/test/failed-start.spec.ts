import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { freshDatabase } from './database.js';
import { eventually } from './eventually.js';
import { collect, StateFolder } from './state-folder.js';

const NOWHERE = 'postgres://somebody:secret-word@127.0.0.1:1/x';

let folder: StateFolder;
beforeAll(async () => {
  folder = await StateFolder.make();
});
afterAll(() => folder.remove());

/** Both services given, so that nothing takes long. */
const given = () => ({ DATABASE_URL: inject('databaseUrl'), REDIS_URL: inject('redisUrl') });

const serve = (env: Record<string, string>) => folder.finish(['serve'], { LEFT4ME_PORT: '', ...given(), ...env });

// One that tried again for a minute would not end within it; that none tries again at all is counted below.
describe('a start that cannot succeed ends at once with 1 and one sentence', { timeout: 60_000 }, () => {
  it.each<[string, Record<string, string>, RegExp]>([
    [
      'no database there',
      { DATABASE_URL: NOWHERE },
      /^DATABASE_URL: the database cannot be opened: .*ECONNREFUSED.*\n$/,
    ],
    ['no such host', { DATABASE_URL: 'postgres://nowhere.invalid/x' }, /^DATABASE_URL: .*nowhere\.invalid.*\n$/],
    ['an unreadable Redis URL', { REDIS_URL: 'redis://127.0.0.1/first' }, /^These .*\n {2}REDIS_URL: .*number\n$/],
    ['an address of another machine', { LEFT4ME_BIND: '192.0.2.1' }, /^LEFT4ME_BIND: 192\.0\.2\.1 is not an addr.*\n$/],
    [
      'a name of no machine',
      { LEFT4ME_BIND: 'nowhere.invalid' },
      /^LEFT4ME_BIND: nowhere\.invalid is not an addr.*\n$/,
    ],
    [
      'a root that cannot be',
      { LEFT4ME_ROOT: '/dev/null/left4me' },
      /^LEFT4ME_ROOT: nothing can be kept in \/dev.*\n$/,
    ],
  ])('%s', async (_what, env, sentence) => {
    const { code, stdout, stderr } = await serve(env);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(sentence);
    expect(stderr).not.toContain('secret-word');
    expect(await folder.processes()).toEqual([]);
  });

  it('a database that hangs up, which is asked once', async () => {
    let connections = 0;
    const hangsUp = createServer((socket) => {
      connections += 1;
      socket.on('error', () => undefined).once('data', () => socket.end());
    }).listen(0, '127.0.0.1');
    await once(hangsUp, 'listening');
    const { port } = hangsUp.address() as AddressInfo;
    try {
      const { code, stderr } = await serve({ DATABASE_URL: `postgres://127.0.0.1:${port}/x` });
      expect({ code, stderr, connections }).toEqual({
        code: 1,
        stderr: 'DATABASE_URL: the database cannot be opened: Connection terminated unexpectedly\n',
        connections: 1,
      });
    } finally {
      hangsUp.close();
    }
  });

  it('whatever is wrong with the address is said before a database is made', async () => {
    const { code, stdout } = await serve({ DATABASE_URL: '', REDIS_URL: '', LEFT4ME_BIND: '192.0.2.1' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(await readdir(folder.root)).not.toContain('postgres');
  });

  it('an account that may not make tables', async () => {
    const fresh = await freshDatabase();
    const { code, stderr } = await serve({
      DATABASE_URL: `${fresh.url}${fresh.url.includes('?') ? '&' : '?'}options=-c%20default_transaction_read_only%3Don`,
    });
    await fresh.drop();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^DATABASE_URL: the database cannot be opened: .*read-only.*\n$/);
  });

  it('create-user too', async () => {
    const env = { DATABASE_URL: NOWHERE, LEFT4ME_ADMIN_PASSWORD: 'long enough' };
    const { code, stderr } = await folder.finish(['create-user', 'zoey'], env);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'DATABASE_URL: the database cannot be opened: connect ECONNREFUSED 127.0.0.1:1\n',
    });
  });
});

describe('a start is ended by a signal', { timeout: 120_000 }, () => {
  let silent: Server;
  const sockets: Socket[] = [];
  beforeAll(async () => {
    silent = createServer((socket) => sockets.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it('while the database does not answer', { timeout: 30_000 }, async () => {
    const { port } = silent.address() as AddressInfo;
    const child = folder.run(['serve'], { ...given(), DATABASE_URL: `postgres://127.0.0.1:${port}/x` });
    const ended = once(child, 'close');
    const stderr = collect(child.stderr);
    await eventually('it waits for the database', () => sockets.length > 0);
    child.kill('SIGTERM');
    await ended;
    // After ten seconds it would have given the database up, and said so.
    expect(stderr()).toBe('');
  });

  it('while it makes its own database; the next one starts', async () => {
    const child = folder.run(['serve'], {});
    const ended = once(child, 'exit');
    const stdout = collect(child.stdout);
    await eventually('it makes its database', () => stdout().includes('Making the database'));
    child.kill('SIGTERM');
    await ended;
    expect(stdout()).not.toContain('left4me is running');
    await eventually('nothing is left', async () => (await folder.processes()).length === 0, 60);

    const next = folder.run(['serve'], {});
    const running = collect(next.stdout);
    await eventually('the next one runs', () => running().includes('left4me is running'), 60);
    const stopped = once(next, 'exit');
    next.kill('SIGTERM');
    expect((await stopped)[0]).toBe(0);
  });
});
