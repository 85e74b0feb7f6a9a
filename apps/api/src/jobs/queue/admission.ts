import type { EntityManager } from 'typeorm';
import type { Operation } from '../job.entity.js';

/** A queued job as dispatch sees it. */
export interface WaitingJob {
  id: number;
  hostId: number;
  operation: Operation;
  twin: number;
}

const columns = `jobs.id, jobs.host_id AS "hostId", jobs.operation, jobs.twin`;

/*
 * Candidates are the heads: the earliest claim of each exclusively claimed resource, found by skipping from resource to resource in
 * the index, so that the cost follows the number of resources, not the length of the line. A head is admitted when each of its
 * claims has nothing conflicting ahead. The scalar subqueries with LIMIT 1 are deliberate: they are index probes whatever the
 * table's statistics say, and those are always stale in a table that fills and empties all day.
 */
const admission = `
  WITH RECURSIVE heads AS (
    (SELECT resource, job_id FROM job_claims WHERE exclusive ORDER BY resource, job_id LIMIT 1)
    UNION ALL
    SELECT following.resource, following.job_id FROM heads, LATERAL (
      SELECT resource, job_id FROM job_claims WHERE exclusive AND resource > heads.resource ORDER BY resource, job_id LIMIT 1
    ) following
  )
  UPDATE jobs SET admitted_at = clock_timestamp()
  FROM heads
  WHERE jobs.id = heads.job_id AND jobs.state = 'queued' AND jobs.admitted_at IS NULL
    AND NOT EXISTS (
      SELECT FROM job_claims mine WHERE mine.job_id = jobs.id AND jobs.id > CASE
        WHEN mine.exclusive
        THEN (SELECT ahead.job_id FROM job_claims ahead
              WHERE ahead.resource = mine.resource ORDER BY ahead.job_id LIMIT 1)
        ELSE (SELECT ahead.job_id FROM job_claims ahead
              WHERE ahead.resource = mine.resource AND ahead.exclusive ORDER BY ahead.job_id LIMIT 1)
      END
    )`;

/**
 * Admits every job with nothing conflicting ahead of it. Once admitted a job stays so: later jobs have higher ids, and ids are
 * committed in order (see Jobs.enqueue), so nothing can come before it any more.
 */
export async function admit(manager: EntityManager): Promise<void> {
  await manager.query(admission);
}

/** All jobs that may run but have not begun, oldest first: each of them needs a twin that is not parked. */
export function admittedButNotRunning(manager: EntityManager): Promise<WaitingJob[]> {
  return manager.query<WaitingJob[]>(
    `SELECT ${columns} FROM jobs WHERE jobs.state = 'queued' AND jobs.admitted_at IS NOT NULL ORDER BY jobs.id`,
  );
}

/** Queued jobs with something ahead of them, oldest first, from `after` on. Their twins are parked, to show in Bull board. */
export function parked(manager: EntityManager, after: number, limit: number): Promise<WaitingJob[]> {
  return manager.query<WaitingJob[]>(
    `SELECT ${columns} FROM jobs
     WHERE jobs.finished_at IS NULL AND jobs.state = 'queued' AND jobs.admitted_at IS NULL AND jobs.id > $1
     ORDER BY jobs.id LIMIT $2`,
    [after, limit],
  );
}
