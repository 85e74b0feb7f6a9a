import { Injectable } from '@nestjs/common';
import { Statements } from '../../database/statements.js';
import type { Operation } from '../job.entity.js';

/** A queued job as dispatch sees it. */
export interface WaitingJob {
  id: number;
  hostId: number;
  operation: Operation;
  twin: number;
}

/** A job that may run and has not begun. */
export interface AdmittedJob extends WaitingJob {
  /** It has just been admitted; others were before, by whichever process. */
  fresh: boolean;
}

const columns = `jobs.id, jobs.host_id AS "hostId", jobs.operation, jobs.twin`;

/** Both parts see the jobs as they were before: those just admitted come from the first alone. */
const admission = {
  name: 'admit-jobs',
  text: `
    SELECT id, host_id AS "hostId", operation, twin, true AS fresh FROM admit_jobs()
    UNION ALL
    SELECT ${columns}, false FROM jobs
    WHERE jobs.admitted_at IS NOT NULL AND jobs.finished_at IS NULL AND jobs.state = 'queued'
    ORDER BY id`,
};

const waitingInLine = {
  name: 'waiting-jobs',
  text: `SELECT ${columns} FROM jobs
    WHERE jobs.finished_at IS NULL AND jobs.state = 'queued' AND jobs.admitted_at IS NULL AND jobs.id > $1
      AND jobs.created_at <= clock_timestamp() - $3 * interval '1 second'
    ORDER BY jobs.id LIMIT $2`,
};

const stillQueued = {
  name: 'still-queued-jobs',
  text: `SELECT id FROM jobs WHERE id = ANY ($1::int[]) AND state = 'queued'`,
};

/** Decides, in SQL, which jobs may run. */
@Injectable()
export class Admission {
  constructor(private readonly statements: Statements) {}

  /**
   * Admits every job with nothing conflicting ahead of it (the function is in its migration). Once admitted a job stays so: later jobs have higher ids, and ids are
   * committed in order (see NewJobs), so nothing can come before it any more.
   * @returns all jobs that may run but have not begun, oldest first: each of them needs a twin that is not parked
   */
  admit(): Promise<AdmittedJob[]> {
    return this.statements.run<AdmittedJob>(admission);
  }

  /**
   * Queued jobs with something ahead of them, oldest first, from `after` on. Their twins are parked, to show in Bull board.
   * @param age only those queued so many seconds ago
   */
  parked(after: number, limit: number, age: number): Promise<WaitingJob[]> {
    return this.statements.run<WaitingJob>(waitingInLine, [after, limit, age]);
  }

  /** Those of the jobs that have not begun. */
  async stillQueued(jobIds: readonly number[]): Promise<Set<number>> {
    if (jobIds.length === 0) return new Set();
    const rows = await this.statements.run<{ id: number }>(stillQueued, [jobIds]);
    return new Set(rows.map(({ id }) => id));
  }
}
