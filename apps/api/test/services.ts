import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '../src/embedded/embedded.js';
import { cacheFolder } from './cache-folder.js';

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
    redisUrl: string;
    /** Where the state folder is kept that tests begin with a copy of (prepared-state.ts). */
    preparedState: string;
  }
}

/** Tests lose nothing by a power cut. */
export const NOT_DURABLE = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' };

/** Once per run: a real PostgreSQL and a real Redis for all test files (see database.ts), gone afterwards. */
export default async function services(project: TestProject): Promise<() => Promise<void>> {
  const root = await mkdtemp(join(tmpdir(), 'left4me-services-'));
  const embedded = await startEmbedded({
    root,
    needs: { postgres: true, redis: true },
    report: (line) => process.stderr.write(`${line}\n`),
    cacheFolder: await cacheFolder(),
    postgresSettings: NOT_DURABLE,
  });
  const { databaseUrl, redisUrl } = embedded;
  if (databaseUrl === undefined || redisUrl === undefined) throw new Error('both services were asked for');
  project.provide('databaseUrl', databaseUrl);
  project.provide('redisUrl', redisUrl);
  project.provide('preparedState', join(root, 'prepared-state'));
  return async () => {
    await embedded.stop();
    await rm(root, { recursive: true, force: true });
  };
}
