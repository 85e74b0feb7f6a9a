import type { InstanceStatus } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import { Batches } from '../../database/batches.js';
import { Statements } from '../../database/statements.js';
import { storable } from '../log/storable.js';
import type { WaitingJob } from '../queue/admission.js';
import { Dispatcher } from '../queue/dispatcher.js';
import type { EndState } from '../job.entity.js';
import type { RunningJob } from './operation-handler.js';

/*
 * The only statements that move a job from queued to running to its end. All are fenced: by the state (whichever end is written first
 * wins) and by the worker's incarnation (a worker that was given up for dead cannot end a job that is not its own any more).
 * ANY ($1) says nothing that the join does not; it makes the plan start at the index.
 */

const desiredState = `CASE claimed.operation
  WHEN 'start' THEN 'running' WHEN 'restart' THEN 'running' WHEN 'stop' THEN 'stopped' WHEN 'delete' THEN 'absent'
  ELSE CASE WHEN servers.desired_state = 'absent' THEN 'stopped' ELSE servers.desired_state END END`;

const claim = {
  name: 'claim-jobs',
  text: `
    WITH claimed AS (
      UPDATE jobs SET state = 'running', started_at = clock_timestamp(), incarnation = asked.incarnation
      FROM unnest($1::int[], $2::uuid[]) AS asked (id, incarnation)
      WHERE jobs.id = ANY ($1) AND jobs.id = asked.id AND jobs.state = 'queued' AND jobs.admitted_at IS NOT NULL
        AND EXISTS (SELECT FROM hosts WHERE hosts.id = jobs.host_id AND hosts.incarnation = asked.incarnation)
      RETURNING jobs.*
    ), wanted AS (
      UPDATE servers SET desired_state = ${desiredState}, state_fence = state_fence + 1
      FROM claimed WHERE servers.id = claimed.server_id
    )
    SELECT id, operation, host_id AS "hostId", server_id AS "serverId", server_name AS "serverName",
      overlay_id AS "overlayId", build, restore_entry_id AS "restoreEntryId" FROM claimed`,
};

/** The function ends the jobs, and admits those that this has freed (see its migration). */
const end = {
  name: 'end-jobs',
  text: `SELECT id, host_id AS "hostId", operation, twin, ended
    FROM end_jobs($1::int[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::text[], $7::int[], $8::text[], $9::text[])
    ORDER BY id`,
};

/** How a job ended. */
export interface End {
  state: EndState;
  exitCode: number | null;
  error: string | null;
}

/** What is known beside how a job ended. */
interface Circumstances {
  /** What its server was seen doing after it; without it the job has none, or nobody could tell. */
  seen?: InstanceStatus | null;
  /** A last line for its log. Only when nobody writes there any more. */
  lastLine?: string;
}

interface Ending extends Circumstances {
  jobId: number;
  incarnation: string;
  how: End;
}

/** Claims and ends jobs. What is asked while a statement is under way shares the next one. */
@Injectable()
export class JobRows {
  private readonly claims = new Batches((asked: { jobId: number; incarnation: string }[]) => this.claimAll(asked));
  private readonly ends = new Batches((endings: Ending[]) => this.endAll(endings));

  constructor(
    private readonly statements: Statements,
    private readonly dispatcher: Dispatcher,
  ) {}

  /**
   * Takes an admitted job of the worker's own host, atomically, and sets what is now wanted of its server.
   * @returns null when it may not run: not admitted, running already, ended, or the host is served by another worker by now
   */
  claim(jobId: number, incarnation: string): Promise<RunningJob | null> {
    return this.claims.add({ jobId, incarnation });
  }

  /**
   * Ends a job, frees its claims, notes on its server how it went and what it does now, and sets going what waited for it.
   * @returns false when it had ended already or is another incarnation's
   */
  async end(jobId: number, incarnation: string, how: End, circumstances: Circumstances = {}): Promise<boolean> {
    const { ended, delivered } = await this.ends.add({ jobId, incarnation, how, ...circumstances });
    // Before the job's place in its lane is filled again: what this end has freed may be older than what waits for the place.
    await delivered;
    return ended;
  }

  private async claimAll(asked: { jobId: number; incarnation: string }[]): Promise<(RunningJob | null)[]> {
    const rows = await this.statements.run<RunningJob>(claim, [
      asked.map(({ jobId }) => jobId),
      asked.map(({ incarnation }) => incarnation),
    ]);
    const claimed = new Map(rows.map((row) => [row.id, row]));
    return asked.map(({ jobId }) => {
      const job = claimed.get(jobId) ?? null;
      // A twin that was delivered twice: the second time it is refused.
      claimed.delete(jobId);
      return job;
    });
  }

  private async endAll(given: Ending[]): Promise<{ ended: boolean; delivered: Promise<void> }[]> {
    // In the order in which every statement locks jobs.
    const endings = given.toSorted((a, b) => a.jobId - b.jobId);
    const rows = await this.statements.run<WaitingJob & { ended: boolean }>(end, [
      endings.map(({ jobId }) => jobId),
      endings.map(({ incarnation }) => incarnation),
      endings.map(({ how }) => how.state),
      endings.map(({ how }) => how.exitCode),
      endings.map(({ how }) => how.error && storable(how.error)),
      endings.map(({ seen }) => seen?.state ?? null),
      endings.map(({ seen }) => seen?.generation ?? null),
      endings.map(({ seen }) => (seen?.reason ? storable(seen.reason) : null)),
      endings.map(({ lastLine }) => lastLine ?? null),
    ]);
    // fault point: end written
    const delivered = this.dispatcher.deliver(rows.filter((row) => !row.ended));
    const ended = new Set(rows.filter((row) => row.ended).map(({ id }) => id));
    return given.map(({ jobId }) => ({ ended: ended.delete(jobId), delivered }));
  }
}

/**
 * Ends a job that has not begun.
 * @param userId who wants that
 * @returns false when it has begun or ended in between
 */
export async function cancelQueued(database: DataSource, jobId: number, userId: number): Promise<boolean> {
  const rows = await database.query<{ id: number }[]>(
    `WITH ended AS (
       UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp(), cancelled_by = $2, cancelled_at = clock_timestamp()
       WHERE id = $1 AND state = 'queued' RETURNING id
     ), released AS (
       DELETE FROM job_claims USING ended WHERE job_claims.job_id = ended.id
     ), explained AS (
       INSERT INTO job_log (job_id, seq, stream, line, at)
       SELECT ended.id, 1, 'system', 'Cancelled by ' || users.name || ' while it waited; nothing was done.', clock_timestamp()
       FROM ended JOIN users ON users.id = $2
     )
     SELECT id FROM ended`,
    [jobId, userId],
  );
  return rows.length > 0;
}

/** Asks for a running job's cancellation. @returns false when it is not running */
export async function cancelRunning(database: DataSource, jobId: number, userId: number): Promise<boolean> {
  const [rows] = await database.query<[{ id: number }[], number]>(
    `UPDATE jobs SET state = 'cancelling', cancelled_by = $2, cancelled_at = clock_timestamp()
     WHERE id = $1 AND state = 'running' RETURNING id`,
    [jobId, userId],
  );
  return rows.length > 0;
}
