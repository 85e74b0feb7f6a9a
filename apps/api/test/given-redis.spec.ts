import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConsoleLogger } from '@nestjs/common';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { redisConnection } from '../src/config/redis-connection.js';
import { WrongSettings } from '../src/config/settings.js';
import { startRedis } from '../src/embedded/redis.js';
import type { Service } from '../src/embedded/service.js';
import { servicePlaces } from '../src/embedded/service-places.js';
import { checkGivenRedis } from '../src/panel/check-redis.js';
import { cacheFolder } from './cache-folder.js';
import { freshDatabase } from './database.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { startQueue } from './queue-panel.js';
import { StateFolder } from './state-folder.js';

/** A Redis of somebody else's, with accounts, at a Unix socket and at a port. */
let root: string;
let service: Service;
let unix: string;
let port: number;
let front: Server;
let owner: Redis;
let removePlaces: () => Promise<void>;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'left4me-given-'));
  const places = await servicePlaces(root);
  removePlaces = () => places.remove();
  const report = () => undefined;
  ({ service, url: unix } = await startRedis({ ...places.of('redis'), cacheFolder: await cacheFolder(), report }));
  const { path = '' } = redisConnection(unix);
  front = createServer((socket) => {
    const redis = connect(path);
    redis.on('error', () => socket.destroy());
    socket.on('error', () => redis.destroy());
    socket.pipe(redis).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  ({ port } = front.address() as AddressInfo);
  owner = new Redis(redisConnection(unix));
  await owner.call('ACL', 'SETUSER', 'panel', 'on', '>pass', '~left4me:*', '&left4me:*', '+@all');
  await owner.call('ACL', 'SETUSER', 'guest', 'on', '>pass', '~guest:*', '+@all');
}, 120_000);
afterAll(async () => {
  owner.disconnect();
  front.close();
  await service.stop();
  await removePlaces();
  await rm(root, { recursive: true, force: true });
});

const as = (account: string) => `redis://${account}@127.0.0.1:${port}`;
const check = (url: string) => checkGivenRedis(url, 'left4me');

describe('REDIS_URL at the start', () => {
  afterEach(() => owner.config('SET', 'requirepass', ''));

  it('is taken where the account may do what the panel does', async () => {
    await expect(check(as('panel:pass'))).resolves.toBeUndefined();
    await expect(check(unix)).resolves.toBeUndefined();
  });

  it('is refused where the password is wrong', async () => {
    await expect(check(as('panel:wrong-word'))).rejects.toThrow(WrongSettings);
    await expect(check(as('panel:wrong-word'))).rejects.toThrow(
      `REDIS_URL: Redis at 127.0.0.1:${port} refuses it: WRONGPASS invalid username-password pair or user is disabled.`,
    );
  });

  it('is refused where a password is missing, or the account may not touch the keys of the panel', async () => {
    await expect(check(as('guest:pass'))).rejects.toThrow(`REDIS_URL: Redis at 127.0.0.1:${port} refuses it: NOPERM`);
    await owner.config('SET', 'requirepass', 'secret');
    await expect(check(unix)).rejects.toThrow(/^REDIS_URL: Redis at \/.*redis\.sock refuses it: NOAUTH/);
  });

  it('may lead to nobody: Redis may come later', async () => {
    await expect(check(`redis://127.0.0.1:${await freePort()}`)).resolves.toBeUndefined();
  });

  it('that is refused ends a worker with 1 and one sentence', async () => {
    const folder = await StateFolder.make();
    const fresh = await freshDatabase();
    const env = { DATABASE_URL: fresh.url, REDIS_URL: as('panel:wrong-word'), SECRET_KEY: 'k'.repeat(32) };
    const finished = await folder.finish(['--role', 'worker'], env);
    await fresh.drop();
    await folder.remove();
    expect(finished).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^REDIS_URL: Redis at 127\.0\.0\.1:\d+ refuses it: WRONGPASS [^\n]*\n$/),
    });
  });
});

describe('a Redis that throws away what it holds when it is full', () => {
  const said: string[] = [];
  class Warnings extends ConsoleLogger {
    override log(): void {}
    override debug(): void {}
    override warn(message: unknown): void {
      said.push(String(message));
    }
  }
  afterAll(() => owner.config('SET', 'maxmemory-policy', 'noeviction'));

  it('is warned of once, with what to do', async () => {
    await owner.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const library = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
    const panel = await startQueue({ redisUrl: unix }, undefined, { logger: new Warnings() });
    try {
      await panel.server('b-1');
      await panel.ended((await panel.queue('b-1', 'stop')).id);
      await eventually('it has warned', () => said.length > 0);
      expect(said).toEqual([
        expect.stringMatching(/^REDIS_URL: its maxmemory-policy is allkeys-lru, .* set maxmemory-policy noeviction/),
      ]);
      expect(library.mock.calls).toEqual([]);
    } finally {
      library.mockRestore();
      await panel.close();
    }
  });
});
