import type { DataSource } from 'typeorm';
import type { EndState } from '../job.entity.js';
import type { RunningJob } from './operation-handler.js';

/*
 * The only statements that move a job from queued to running to its end. All are fenced: by the state (whichever end is written first
 * wins) and by the worker's incarnation (a worker that was given up for dead cannot end a job that is not its own any more).
 */

const desiredState = `CASE claimed.operation
  WHEN 'start' THEN 'running' WHEN 'restart' THEN 'running' WHEN 'stop' THEN 'stopped' WHEN 'delete' THEN 'absent'
  ELSE CASE WHEN servers.desired_state = 'absent' THEN 'stopped' ELSE servers.desired_state END END`;

/**
 * Takes an admitted job of the worker's own host, atomically, and sets what is now wanted of its server.
 * @returns null when it may not run: not admitted, running already, ended, or the host is served by another worker by now
 */
export async function claim(database: DataSource, jobId: number, incarnation: string): Promise<RunningJob | null> {
  const rows = await database.query<RunningJob[]>(
    `WITH claimed AS (
       UPDATE jobs SET state = 'running', started_at = clock_timestamp(), incarnation = $2
       WHERE id = $1 AND state = 'queued' AND admitted_at IS NOT NULL
         AND EXISTS (SELECT FROM hosts WHERE hosts.id = jobs.host_id AND hosts.incarnation = $2)
       RETURNING *
     ), wanted AS (
       UPDATE servers SET desired_state = ${desiredState}, state_fence = state_fence + 1
       FROM claimed WHERE servers.id = claimed.server_id
     )
     SELECT id, operation, host_id AS "hostId", server_id AS "serverId", server_name AS "serverName",
       overlay_id AS "overlayId", build FROM claimed`,
    [jobId, incarnation],
  );
  return rows[0] ?? null;
}

/** How a job ended. */
export interface End {
  state: EndState;
  exitCode: number | null;
  error: string | null;
}

/**
 * Ends a job, frees its claims and notes on its server how it went, in one statement.
 * @returns false when it had ended already or is another incarnation's
 */
export async function end(database: DataSource, jobId: number, incarnation: string, how: End): Promise<boolean> {
  const rows = await database.query<{ id: number }[]>(
    `WITH ended AS (
       UPDATE jobs SET state = $3, exit_code = $4, error = $5, finished_at = clock_timestamp(),
         progress_percent = NULL, progress_text = NULL
       WHERE id = $1 AND incarnation = $2 AND state IN ('running', 'cancelling')
       RETURNING id, server_id, operation
     ), released AS (
       DELETE FROM job_claims USING ended WHERE job_claims.job_id = ended.id
     ), noted AS (
       UPDATE servers SET state_fence = state_fence + 1, last_error = CASE $3::text
         WHEN 'succeeded' THEN NULL WHEN 'failed' THEN ended.operation || ' failed: ' || $5::text ELSE last_error END
       FROM ended WHERE servers.id = ended.server_id
     )
     SELECT id FROM ended`,
    [jobId, incarnation, how.state, how.exitCode, how.error],
  );
  return rows.length > 0;
}

/** Ends a job that has not begun. @returns false when it has begun or ended in between */
export async function cancelQueued(database: DataSource, jobId: number): Promise<boolean> {
  const rows = await database.query<{ id: number }[]>(
    `WITH ended AS (
       UPDATE jobs SET state = 'cancelled', finished_at = clock_timestamp() WHERE id = $1 AND state = 'queued' RETURNING id
     ), released AS (
       DELETE FROM job_claims USING ended WHERE job_claims.job_id = ended.id
     )
     SELECT id FROM ended`,
    [jobId],
  );
  return rows.length > 0;
}

/** Asks for a running job's cancellation. @returns false when it is not running */
export async function cancelRunning(database: DataSource, jobId: number): Promise<boolean> {
  const [rows] = await database.query<[{ id: number }[], number]>(
    `UPDATE jobs SET state = 'cancelling' WHERE id = $1 AND state = 'running' RETURNING id`,
    [jobId],
  );
  return rows.length > 0;
}
