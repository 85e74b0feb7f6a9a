import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { z } from 'zod';
import type { Place } from '../services.js';

const counted = z.tuple([z.object({ count: z.number() })]);

/** graphile-worker with a named queue per server: jobs of a server in order, one at a time. It knows no barrier for installs. */
export interface Graphile {
  /** Told when the task begins. */
  onBegin: () => void;
  add(queueName: string): Promise<unknown>;
  /** Jobs in its table. */
  unfinished(): Promise<number>;
  close(): Promise<void>;
}

/** Starts it in this process with its usual settings, but for 16 at once and as many connections as the panel has. */
export async function startGraphile(place: Place): Promise<Graphile> {
  const pgPool = new pg.Pool({ connectionString: place.databaseUrl, max: 20 });
  pgPool.on('error', () => undefined);
  pgPool.on('connect', (client) => void client.on('error', () => undefined));
  const options = { pgPool, logger: new Logger(() => () => undefined) };
  const utils = await makeWorkerUtils(options);
  await utils.migrate();
  const graphile: Graphile = {
    onBegin: () => undefined,
    add: (queueName) => utils.addJob('stop', {}, { queueName }),
    unfinished: async () => {
      const { rows } = await pgPool.query('SELECT count(*)::int AS count FROM graphile_worker.jobs');
      return counted.parse(rows)[0].count;
    },
    close: async () => {
      await runner.stop();
      await utils.release();
      await pgPool.end();
    },
  };
  const taskList = { stop: () => graphile.onBegin() };
  const runner = await run({ ...options, concurrency: 16, noHandleSignals: true, taskList });
  return graphile;
}
