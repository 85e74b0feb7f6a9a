import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { redisConnection } from '../src/config/redis-connection.js';
import { startPostgres } from '../src/embedded/postgres.js';
import { startRedis } from '../src/embedded/redis.js';
import type { Service } from '../src/embedded/service.js';
import { servicePlaces } from '../src/embedded/service-places.js';
import { cacheFolder } from './cache-folder.js';
import { NOT_DURABLE } from './services.js';

/** One service that a test may take away and give back; its URL stays the same and its data is kept. */
export interface StoppableService {
  readonly url: string;
  /** Ends it properly. */
  stop(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

export interface StoppableServices {
  postgres: StoppableService;
  redis: StoppableService & { flush(): Promise<void> };
  /** Ends both and removes their data. */
  remove(): Promise<void>;
}

/** A PostgreSQL and a Redis of a test's own, for tests that stop, kill or empty them. */
export async function stoppableServices(): Promise<StoppableServices> {
  const root = await mkdtemp(join(tmpdir(), 'left4me-services-'));
  const places = await servicePlaces(root);
  const packages = await cacheFolder();
  const report = (): void => undefined;
  const { user } = places;
  // kill -9 leaves what was written to the system, but not what PostgreSQL had not written yet.
  const settings = { ...NOT_DURABLE, synchronous_commit: 'on' };
  const [postgres, redis] = await Promise.all([
    stoppable(() => startPostgres({ ...places.of('postgres'), user, report, settings })),
    stoppable(() => startRedis({ ...places.of('redis'), cacheFolder: packages, report })),
  ]);
  return {
    postgres,
    redis: { ...redis, flush: () => flush(redis.url) },
    remove: async () => {
      await Promise.all([postgres.stop(), redis.stop()]);
      await places.remove();
      await rm(root, { recursive: true, force: true });
    },
  };
}

async function stoppable(launch: () => Promise<{ url: string; service: Service }>): Promise<StoppableService> {
  let { url, service } = await launch();
  return {
    url,
    stop: async () => {
      if (service.running) await service.stop();
    },
    kill: async () => {
      if (service.pid !== undefined) process.kill(service.pid, 'SIGKILL');
      await service.stop();
    },
    start: async () => {
      if (!service.running) ({ url, service } = await launch());
    },
  };
}

async function flush(url: string): Promise<void> {
  const client = new Redis(redisConnection(url));
  await client.flushall();
  client.disconnect();
}
