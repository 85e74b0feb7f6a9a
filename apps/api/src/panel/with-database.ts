import type { DataSource } from 'typeorm';
import type { Settings } from '../config/settings.js';
import { openDatabase } from '../database/data-source.js';
import { StateLocked } from '../embedded/embedded-error.js';
import { startEmbedded } from '../embedded/embedded.js';
import { runningPostgresUrl } from '../embedded/running-postgres.js';
import { lockState, type StateLock } from '../embedded/state-lock.js';
import { openGivenDatabase } from './open-database.js';

type Work<T> = (database: DataSource) => Promise<T>;

/** Does something with the panel's database for a command, whether the panel is running or not. */
export async function withDatabase<T>({ databaseUrl, root }: Settings, work: Work<T>): Promise<T> {
  if (databaseUrl !== null) return use(await openGivenDatabase(databaseUrl), work);
  let lock: StateLock;
  try {
    lock = await lockState(root);
  } catch (error) {
    if (error instanceof StateLocked) return use(await openDatabase(await runningPostgresUrl(root)), work);
    throw error;
  }
  try {
    const embedded = await startEmbedded({ root, report: () => undefined, needs: { postgres: true, redis: false } });
    try {
      return await use(await openDatabase(embedded.databaseUrl ?? ''), work);
    } finally {
      await embedded.stop();
    }
  } finally {
    await lock.release();
  }
}

async function use<T>(database: DataSource, work: Work<T>): Promise<T> {
  try {
    return await work(database);
  } finally {
    await database.destroy();
  }
}
