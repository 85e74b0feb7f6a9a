import type { Host } from '@left4me/host';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Announcements } from '../../redis/announcements.js';
import { announceJob, type JobSubject } from '../announce-job.js';
import { cancelledBy, type LookAt, lookWhenSettled, serverNow } from './aftermath.js';
import type { JobRows } from './job-rows.js';

/** The columns of an interrupted job. */
export const interrupted = `id, state, incarnation, operation, host_id AS "hostId", server_id AS "serverId", server_name AS "serverName",
  overlay_id AS "overlayId", (SELECT name FROM users WHERE users.id = cancelled_by) AS "cancelledBy"`;

/** A job that nobody runs any more. */
export interface Interrupted extends JobSubject {
  state: string;
  /** Of the worker that had it. */
  incarnation: string;
  serverName: string | null;
  /** The name of who cancelled it, if anybody has. */
  cancelledBy: string | null;
}

/** With what ends are found out, written and told. */
interface Writing {
  rows: JobRows;
  announcements: Announcements;
  lookAt: LookAt;
}

/** Of what cut a job off: in short, for lists, and in full for its log. */
export interface Cause {
  short: string;
  full: string;
}

const workerEnded: Cause = {
  short: 'the worker ended while the job ran',
  full: 'The worker ended while this job ran, and its commands with it; the job is not run again by itself.',
};

/**
 * Ends a job that nobody runs any more: cancelled if that was asked for, else failed. It is never run again by itself. A server that
 * it had launched goes on: what the server really does is read first, and said.
 */
export async function endInterrupted(
  { rows, announcements, lookAt }: Writing,
  job: Interrupted,
  cause: Cause,
): Promise<void> {
  const seen = await lookWhenSettled(job, lookAt);
  const now = serverNow(job, seen);
  const cancelled = job.state === 'cancelling';
  const how = cancelled
    ? ({ state: 'cancelled', exitCode: null, error: null } as const)
    : ({ state: 'failed', exitCode: null, error: `interrupted: ${cause.short}${now && `.${now}`}` } as const);
  const lastLine = `${cause.full}${cancelled ? ` ${cancelledBy(job.cancelledBy)}` : ''}${now}`;
  // fault point: interruption not yet written
  if (!(await rows.end(job.id, job.incarnation, how, { lastLine, seen }))) return;
  new Logger('Recovery').warn(`Job ${job.id} had been interrupted and is ${how.state} now.`);
  announceJob(announcements, job);
}

/**
 * Frees the disk of what a former worker's builds had made: nobody publishes it any more. For the host's new worker, before
 * `endLeftBehind`: it goes by the jobs that have not ended. A failure is only said: the overlay's next build removes it, too.
 */
export async function discardLeftBuilds(database: DataSource, host: Host, hostId: number, incarnation: string) {
  const jobs = await database.query<{ overlayId: number }[]>(
    `SELECT overlay_id AS "overlayId" FROM jobs
     WHERE host_id = $1 AND finished_at IS NULL AND state <> 'queued' AND incarnation IS DISTINCT FROM $2 AND overlay_id IS NOT NULL`,
    [hostId, incarnation],
  );
  for (const { overlayId } of jobs) {
    await host.discardBuild(overlayId).catch((error: unknown) => {
      new Logger('Recovery').warn(`What a build of overlay ${overlayId} had made is still there: ${String(error)}`);
    });
  }
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
  // All at once: each may take a while to look at its server, and nothing runs on this host until they have ended.
  await Promise.all(jobs.map((job) => endInterrupted(writing, job, workerEnded)));
}
