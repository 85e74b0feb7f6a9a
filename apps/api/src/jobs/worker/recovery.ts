import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { appendLast } from './job-log-writer.js';
import { end } from './job-rows.js';

/**
 * Ends what a former worker of this host left running. Called by the host's new worker, after the host library has proved that none
 * of the former one's commands is alive, and before any job is taken. An interrupted job is never run again by itself.
 */
export async function endInterrupted(database: DataSource, hostId: number, incarnation: string): Promise<void> {
  const logger = new Logger('Recovery');
  const jobs = await database.query<{ id: number; operation: string; state: string; incarnation: string }[]>(
    `SELECT id, operation, state, incarnation FROM jobs
     WHERE host_id = $1 AND finished_at IS NULL AND state <> 'queued' AND incarnation IS DISTINCT FROM $2 ORDER BY id`,
    [hostId, incarnation],
  );
  for (const job of jobs) {
    const line = 'The worker ended while this job ran. What it had started was stopped; it is not run again by itself.';
    await appendLast(database, job.id, line);
    const how =
      job.state === 'cancelling'
        ? ({ state: 'cancelled', exitCode: null, error: null } as const)
        : ({ state: 'failed', exitCode: null, error: 'interrupted: the worker ended while the job ran' } as const);
    await end(database, job.id, job.incarnation, how);
    logger.warn(`Job ${job.id} (${job.operation}) had been interrupted and is ${how.state} now.`);
  }
}
