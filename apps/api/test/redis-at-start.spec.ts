import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConsoleLogger } from '@nestjs/common';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { redisConnection } from '../src/config/redis-connection.js';
import { startApp } from './app.js';
import { freePort } from './free-port.js';

/** What a panel warns of. */
class Warnings extends ConsoleLogger {
  readonly said: string[] = [];
  override log(): void {}
  override debug(): void {}
  override warn(message: unknown): void {
    this.said.push(String(message));
  }
}

/** In front of Redis: the first connection gets through later than the others. */
let slow: Server;
let sockets: Socket[];
let warnings: Warnings;
beforeEach(async () => {
  warnings = new Warnings();
  sockets = [];
  const { path, host, port } = redisConnection(inject('redisUrl'));
  const pass = (socket: Socket) => {
    const redis = path === undefined ? connect(port ?? 6379, host) : connect(path);
    redis.on('error', () => socket.destroy());
    socket.pipe(redis).pipe(socket);
  };
  slow = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    if (sockets.length === 1) setTimeout(pass, 300, socket);
    else pass(socket);
  }).listen(0, '127.0.0.1');
  await once(slow, 'listening');
});
afterEach(() => {
  for (const socket of sockets) socket.destroy();
  slow.close();
});

it('a start does not use a connection to Redis before it is there', async () => {
  const { port } = slow.address() as AddressInfo;
  const panel = await startApp({ redisUrl: `redis://127.0.0.1:${port}` }, { logger: warnings });
  await sleep(1000);
  await panel.close();
  expect(warnings.said).toEqual([]);
});

it('a start goes on without Redis, and says that it is away', async () => {
  const panel = await startApp({ redisUrl: `redis://127.0.0.1:${await freePort()}` }, { logger: warnings });
  await panel.admin.get('/api/v1/hosts').expect(200);
  await panel.close();
  expect(warnings.said[0]).toMatch(
    /^Redis is away \(REDIS_URL: 127\.0\.0\.1:\d+\): connect ECONNREFUSED [\d.:]+\. Jobs are kept/,
  );
});
