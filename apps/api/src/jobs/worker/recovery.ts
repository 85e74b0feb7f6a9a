import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Announcements } from '../../redis/announcements.js';
import { announceJob, type JobSubject } from '../announce-job.js';
import type { JobRows } from './job-rows.js';

/** The columns of an interrupted job. */
export const interrupted = `id, state, incarnation, operation, host_id AS "hostId", server_id AS "serverId", overlay_id AS "overlayId"`;

export interface Interrupted extends JobSubject {
  state: string;
  /** Of the worker that had it. */
  incarnation: string;
}

/** With what ends are written and told. */
interface Writing {
  rows: JobRows;
  announcements: Announcements;
}

/** Ends a job that nobody runs any more: cancelled if that was asked for, else failed. It is never run again by itself. */
export async function endInterrupted({ rows, announcements }: Writing, job: Interrupted, why: string): Promise<void> {
  const how =
    job.state === 'cancelling'
      ? ({ state: 'cancelled', exitCode: null, error: null } as const)
      : ({ state: 'failed', exitCode: null, error: 'interrupted: the worker ended while the job ran' } as const);
  const lastLine = `${why} It is not run again by itself.`;
  // fault point: interruption not yet written
  if (!(await rows.end(job.id, job.incarnation, how, { lastLine }))) return;
  new Logger('Recovery').warn(`Job ${job.id} had been interrupted and is ${how.state} now.`);
  announceJob(announcements, job);
}

/**
 * Ends what a former worker of this host left running. Called by the host's new worker, after the host library has proved that none
 * of the former one's commands is alive, and before any job is taken.
 */
export async function endLeftBehind(
  database: DataSource,
  writing: Writing,
  hostId: number,
  incarnation: string,
): Promise<void> {
  const jobs = await database.query<Interrupted[]>(
    `SELECT ${interrupted} FROM jobs
     WHERE host_id = $1 AND finished_at IS NULL AND state <> 'queued' AND incarnation IS DISTINCT FROM $2 ORDER BY id`,
    [hostId, incarnation],
  );
  for (const job of jobs) {
    await endInterrupted(
      writing,
      job,
      'The worker ended while this job ran. Its commands were stopped; a game server goes on as it was.',
    );
  }
}
