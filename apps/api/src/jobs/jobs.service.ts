import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { Conflict } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { announceJob } from './announce-job.js';
import type { JobRequest } from './job-request.js';
import { Job } from './job.entity.js';
import { Dispatcher } from './queue/dispatcher.js';
import { NewJobs, type QueuedJob } from './queue/new-jobs.js';
import { Twins } from './queue/twins.js';
import { cancelQueued, cancelRunning } from './worker/job-rows.js';

/** Queues and cancels jobs. Whoever calls has checked that it is allowed. */
@Injectable()
export class Jobs {
  constructor(
    private readonly database: DataSource,
    private readonly newJobs: NewJobs,
    private readonly dispatcher: Dispatcher,
    private readonly twins: Twins,
    private readonly announcements: Announcements,
  ) {}

  /**
   * Queues a job: one transaction, then dispatch, which is not waited for. A request that has queued its job already gets that one.
   * @throws NotFound when its server or overlay is gone
   */
  async enqueue(request: JobRequest): Promise<QueuedJob> {
    const job = await this.newJobs.write(request);
    if (!job.fresh) return job;
    // fault point: job committed
    this.dispatcher.queued(job);
    announceJob(this.announcements, job);
    return job;
  }

  /**
   * Cancels a job: at once when it is queued; a running one is told to stop and is `cancelling` until it has.
   * @param userId who cancels it
   * @throws Conflict when it has ended
   */
  async cancel(job: Job, userId: number): Promise<void> {
    if (job.state === 'queued') {
      // First, or a crash in between would leave it in Bull board for a year. A job that stays gets another when it may run.
      await this.twins.remove(job).catch(() => {
        // Redis is away, or the twin is just being delivered: the claim refuses it.
      });
      // fault point: twin removed
    }
    if (await cancelQueued(this.database, job.id, userId)) {
      // fault point: queued job cancelled
      void this.dispatcher.dispatch();
    } else if (await cancelRunning(this.database, job.id, userId)) {
      // fault point: cancellation asked
      this.announcements.publish({ topic: 'cancel', id: job.id });
    } else {
      const { state } = await this.database.manager.findOneByOrFail(Job, { id: job.id });
      if (state !== 'cancelling') {
        throw new Conflict(`Job ${job.id} has ended already (${state}); nothing is left to cancel.`);
      }
    }
    announceJob(this.announcements, job);
  }

  /** Whether the server or overlay has no unfinished job. */
  async isIdle(
    of: { serverId: number } | { overlayId: number } | { hostId: number },
    manager: EntityManager = this.database.manager,
  ): Promise<boolean> {
    const [column, id] =
      'serverId' in of
        ? ['server_id', of.serverId]
        : 'overlayId' in of
          ? ['overlay_id', of.overlayId]
          : ['host_id', of.hostId];
    const rows = await manager.query<unknown[]>(
      `SELECT 1 FROM jobs WHERE ${column} = $1 AND finished_at IS NULL LIMIT 1`,
      [id],
    );
    return rows.length === 0;
  }
}
