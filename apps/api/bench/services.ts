import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { redisConnection } from '../src/config/redis-connection.js';
import { startEmbedded } from '../src/embedded/embedded.js';
import { cacheFolder } from '../test/cache-folder.js';

/** A database of the run's PostgreSQL and a part of its Redis, for one panel or one reference. */
export interface Place {
  databaseUrl: string;
  redisUrl: string;
  redisPrefix: string;
  /** To be called when nobody uses it any more. */
  remove(): Promise<void>;
}

/** The run's own PostgreSQL and Redis. */
export interface Services {
  /** Temporary; the services' files are in it too. */
  folder: string;
  /** Process ids. */
  processes: { postgres: number; redis: number };
  place(): Promise<Place>;
  stop(): Promise<void>;
}

/** Starts both as the product ships them: in particular PostgreSQL waits for the disk at every commit. */
export async function startServices(report: (line: string) => void): Promise<Services> {
  const folder = await mkdtemp(join(tmpdir(), 'left4me-bench-'));
  const needs = { postgres: true, redis: true };
  const embedded = await startEmbedded({ root: folder, needs, report, cacheFolder: await cacheFolder() });
  const { databaseUrl, redisUrl } = embedded;
  const { postgres, redis } = embedded.processes;
  if (databaseUrl === undefined || redisUrl === undefined || postgres === undefined || redis === undefined)
    throw new Error('both services were asked for');
  return {
    folder,
    processes: { postgres, redis },
    place: () => makePlace(databaseUrl, redisUrl),
    stop: async () => {
      await embedded.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function makePlace(usualDatabase: string, redisUrl: string): Promise<Place> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const url = new URL(usualDatabase);
  url.pathname = `/${name}`;
  await administer(usualDatabase, `CREATE DATABASE ${name}`);
  return {
    databaseUrl: url.toString(),
    redisUrl,
    redisPrefix: name,
    remove: async () => {
      await administer(usualDatabase, `DROP DATABASE ${name} WITH (FORCE)`);
      await removeKeys(redisUrl, name);
    },
  };
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function removeKeys(url: string, prefix: string): Promise<void> {
  const redis = new Redis(redisConnection(url));
  try {
    const keys = await redis.keys(`${prefix}:*`);
    for (let from = 0; from < keys.length; from += 1000) await redis.unlink(keys.slice(from, from + 1000));
  } finally {
    redis.disconnect();
  }
}
