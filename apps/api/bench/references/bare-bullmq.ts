import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { redisConnection } from '../../src/config/redis-connection.js';
import type { Place } from '../services.js';

/** BullMQ alone: a queue and a worker that does nothing, with the options that the panel gives its own. */
export interface BareBullmq {
  /** Told when the processor begins. */
  onBegin: () => void;
  /** Told when BullMQ has completed a job. */
  onEnd: () => void;
  add(data: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** Starts both in this process, on connections of their own to the same Redis. */
export async function startBareBullmq(place: Place): Promise<BareBullmq> {
  const connect = () => new Redis({ ...redisConnection(place.redisUrl), maxRetriesPerRequest: null });
  const connections = [connect(), connect()] as const;
  const prefix = place.redisPrefix;
  const queue = new Queue('bare', { connection: connections[0], prefix });
  const bare: BareBullmq = {
    onBegin: () => undefined,
    onEnd: () => undefined,
    add: (data) => queue.add('stop', data, { attempts: 1, removeOnComplete: { count: 500 } }),
    close: async () => {
      await worker.close();
      await queue.close();
      for (const connection of connections) connection.disconnect();
    },
  };
  const process = () => {
    bare.onBegin();
    return Promise.resolve();
  };
  const worker = new Worker('bare', process, {
    connection: connections[1],
    prefix,
    concurrency: 16,
    lockDuration: 5000,
    stalledInterval: 2500,
    maxStalledCount: 1_000_000,
  });
  worker.on('completed', () => bare.onEnd());
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  return bare;
}
