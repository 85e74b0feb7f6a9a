import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Conflict, NotFound } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { type Claim, claimsOf } from './claims.js';
import type { JobRequest } from './job-request.js';
import { Job, type Operation } from './job.entity.js';
import { Dispatcher } from './queue/dispatcher.js';
import { Twins } from './queue/twins.js';
import { cancelQueued, cancelRunning } from './worker/job-rows.js';

/** Any constant: the one lock that every enqueue takes. */
const ENQUEUE_LOCK = 4_222_860;

interface NewJob {
  operation: Operation;
  hostId: number;
  serverId: number | null;
  serverName: string | null;
  overlayId: number | null;
  overlayName: string | null;
  unbuiltOverlayIds: number[];
}

/** Queues and cancels jobs. Whoever calls has checked that it is allowed. */
@Injectable()
export class Jobs {
  constructor(
    private readonly database: DataSource,
    private readonly dispatcher: Dispatcher,
    private readonly twins: Twins,
    private readonly announcements: Announcements,
  ) {}

  /**
   * Queues a job: one transaction, then dispatch, which is not waited for. The advisory lock makes ids commit in the order they are
   * given: without it a job with a lower id could commit after a later one was admitted, and both would run. A request that has queued
   * its job already gets that one.
   * @param check runs in the transaction, under the lock, before the job is written; what it throws undoes everything
   */
  async enqueue(request: JobRequest, check?: (manager: EntityManager) => Promise<void>): Promise<Job> {
    const requestId = request.requestId ?? null;
    const { job, isNew } = await this.database.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock($1)', [ENQUEUE_LOCK]);
      // Under the lock: of the same request sent twice at once, the second finds the job of the first.
      const known = requestId === null ? null : await manager.findOneBy(Job, { requestId });
      if (known) return { job: known, isNew: false };
      await check?.(manager);
      const { unbuiltOverlayIds, ...subject } = await subjectOf(manager, request);
      const build = request.operation === 'install' ? request.build : null;
      const saved = await manager.save(manager.create(Job, { ...subject, userId: request.userId, build, requestId }));
      await insertClaims(manager, saved.id, claimsOf({ ...subject, unbuiltOverlayIds }));
      // fault point: job inserted
      return { job: saved, isNew: true };
    });
    if (!isNew) return job;
    // fault point: job committed
    this.dispatcher.queued({ id: job.id, hostId: job.hostId, operation: job.operation, twin: 0 });
    this.announce(job);
    return job;
  }

  /**
   * Cancels a job: at once when it is queued; a running one is told to stop and is `cancelling` until it has.
   * @throws Conflict when it has ended
   */
  async cancel(job: Job): Promise<void> {
    if (job.state === 'queued') {
      // First, or a crash in between would leave it in Bull board for a year. A job that stays gets another when it may run.
      await this.twins.remove(job).catch(() => {
        // Redis is away, or the twin is just being delivered: the claim refuses it.
      });
      // fault point: twin removed
    }
    if (await cancelQueued(this.database, job.id)) {
      // fault point: queued job cancelled
      void this.dispatcher.dispatch();
    } else if (await cancelRunning(this.database, job.id)) {
      // fault point: cancellation asked
      this.announcements.publish({ topic: 'cancel', id: job.id });
    } else {
      const { state } = await this.database.manager.findOneByOrFail(Job, { id: job.id });
      if (state !== 'cancelling') {
        throw new Conflict(`Job ${job.id} has ended already (${state}); nothing is left to cancel.`);
      }
    }
    this.announce(job);
  }

  /** Whether the server or overlay has no unfinished job. */
  async isIdle(
    of: { serverId: number } | { overlayId: number },
    manager: EntityManager = this.database.manager,
  ): Promise<boolean> {
    const [column, id] = 'serverId' in of ? ['server_id', of.serverId] : ['overlay_id', of.overlayId];
    const rows = await manager.query<unknown[]>(
      `SELECT 1 FROM jobs WHERE ${column} = $1 AND finished_at IS NULL LIMIT 1`,
      [id],
    );
    return rows.length === 0;
  }

  private announce(job: Job): void {
    this.announcements.publish({ topic: 'job', id: job.id });
    if (job.serverId !== null) this.announcements.publish({ topic: 'server', id: job.serverId });
    if (job.overlayId !== null) this.announcements.publish({ topic: 'overlay', id: job.overlayId });
    if (job.operation === 'install') this.announcements.publish({ topic: 'host', id: job.hostId });
  }
}

/** What the job is for, read under the lock; the names are kept with the job. */
async function subjectOf(manager: EntityManager, request: JobRequest): Promise<NewJob> {
  const { operation } = request;
  const none = { serverId: null, serverName: null, overlayId: null, overlayName: null, unbuiltOverlayIds: [] };
  switch (operation) {
    case 'install':
      return { ...none, operation, hostId: request.hostId };
    case 'build-overlay': {
      // Builds are made where the drafts are: on the host named `local`.
      const [row] = await manager.query<{ name: string; hostId: number }[]>(
        `SELECT overlays.name, hosts.id AS "hostId" FROM overlays, hosts WHERE overlays.id = $1 AND hosts.name = 'local'`,
        [request.overlayId],
      );
      if (!row) throw new NotFound(`overlay ${request.overlayId}`);
      return { ...none, operation, hostId: row.hostId, overlayId: request.overlayId, overlayName: row.name };
    }
    case 'initialize':
    case 'start':
    case 'stop':
    case 'restart':
    case 'delete': {
      const [row] = await manager.query<{ name: string; hostId: number; unbuilt: number[] }[]>(
        `SELECT servers.name, servers.host_id AS "hostId", ARRAY(
           SELECT overlay_id FROM blueprint_overlays used WHERE used.blueprint_id = servers.blueprint_id
             AND NOT EXISTS (SELECT FROM overlay_revisions made WHERE made.overlay_id = used.overlay_id)
           ORDER BY overlay_id) AS unbuilt
         FROM servers WHERE servers.id = $1`,
        [request.serverId],
      );
      if (!row) throw new NotFound(`server ${request.serverId}`);
      const { name: serverName, hostId, unbuilt: unbuiltOverlayIds } = row;
      return { ...none, operation, hostId, serverId: request.serverId, serverName, unbuiltOverlayIds };
    }
  }
}

async function insertClaims(manager: EntityManager, jobId: number, claims: Claim[]): Promise<void> {
  await manager.query(
    `INSERT INTO job_claims (job_id, resource, exclusive) SELECT $1, * FROM unnest($2::text[], $3::boolean[])`,
    [jobId, claims.map((c) => c.resource), claims.map((c) => c.exclusive)],
  );
}
