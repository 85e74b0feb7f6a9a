import { Injectable } from '@nestjs/common';
import { Batches } from '../../database/batches.js';
import { Statements } from '../../database/statements.js';
import { NotFound } from '../../problems/problems.js';
import type { JobRequest } from '../job-request.js';
import type { Operation } from '../job.entity.js';

/** A job that has just been written. */
export interface QueuedJob {
  id: number;
  operation: Operation;
  hostId: number;
  serverId: number | null;
  overlayId: number | null;
  /** Nothing in conflict was ahead of it: it may run. */
  admitted: boolean;
  /** False: the same request had queued it before. */
  fresh: boolean;
}

/** `n`: which of the requests, from 1. One whose server or overlay is gone has no row. */
type Row = QueuedJob & { n: string };

/** The function takes the lock, finds what each job is for, and writes the jobs with their claims (see its migration). */
const queueJobs = {
  name: 'queue-jobs',
  text: `SELECT n, id, operation, host_id AS "hostId", server_id AS "serverId", overlay_id AS "overlayId", admitted, fresh
    FROM queue_jobs($1::text[], $2::int[], $3::int[], $4::int[], $5::int[], $6::text[], $7::uuid[], $8::int[])`,
};

/** Writes new jobs with their claims. */
@Injectable()
export class NewJobs {
  private readonly batches = new Batches((requests: JobRequest[]) => this.writeAll(requests));

  constructor(private readonly statements: Statements) {}

  /**
   * Writes a job; those asked for meanwhile share the next statement.
   * @throws NotFound when its server or overlay is gone
   */
  async write(request: JobRequest): Promise<QueuedJob> {
    const job = await this.batches.add(request);
    if (!job) throw new NotFound(subjectOf(request));
    return job;
  }

  private async writeAll(requests: JobRequest[]): Promise<(QueuedJob | undefined)[]> {
    // fault point: job not yet inserted
    const rows = await this.statements.run<Row>(queueJobs, [
      requests.map(({ operation }) => operation),
      requests.map((request) => ('hostId' in request ? request.hostId : null)),
      requests.map((request) => ('serverId' in request ? request.serverId : null)),
      requests.map((request) => ('overlayId' in request ? request.overlayId : null)),
      requests.map(({ userId }) => userId),
      requests.map((request) => ('build' in request ? request.build : null)),
      requests.map(({ requestId }) => requestId ?? null),
      requests.map((request) => ('restoreEntryId' in request ? (request.restoreEntryId ?? null) : null)),
    ]);
    const jobs = new Map(rows.map(({ n, ...job }) => [Number(n) - 1, job]));
    return requests.map(({ requestId }, index) => {
      const job = jobs.get(index);
      if (job || !requestId) return job;
      // Sent twice at once: the second gets the first's.
      const first = jobs.get(requests.findIndex((request) => request.requestId === requestId));
      return first && { ...first, fresh: false };
    });
  }
}

function subjectOf(request: JobRequest): string {
  if ('serverId' in request) return `server ${request.serverId}`;
  if ('overlayId' in request) return `overlay ${request.overlayId}`;
  return `host ${request.hostId}`;
}
