import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Job as Twin, type JobsOptions, Queue } from 'bullmq';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { QueueBoard } from '../../queues/queue-board.js';
import { Announcements } from '../../redis/announcements.js';
import { RedisConnections } from '../../redis/redis.js';
import type { WaitingJob } from './admission.js';
import { type Lane, laneOf, lanes } from './lanes.js';

/** All a twin carries; the job itself is in PostgreSQL. */
export const twinData = z.object({ jobId: z.number().int() });
export type TwinData = z.infer<typeof twinData>;

/** A parked twin is delayed for a year; dispatch promotes it long before. */
export const PARKED_MS = 365 * 24 * 3600 * 1000;
/** BullMQ's highest priority number; 1 is taken first. */
const PRIORITIES = 2_097_151;

export const queueName = (hostId: number, lane: Lane) => `host-${hostId}-${lane}`;
export const twinId = (job: Pick<WaitingJob, 'id' | 'twin'>) => `job-${job.id}.${job.twin}`;

/** A job's twin as BullMQ takes it. */
function entryOf(job: WaitingJob, options: JobsOptions) {
  const opts = {
    jobId: twinId(job),
    // Among the twins of a lane that wait for a place, the oldest job is taken first.
    priority: (job.id % PRIORITIES) + 1,
    attempts: 1,
    removeOnComplete: { count: 500 },
    removeOnFail: { count: 500 },
    ...options,
  };
  return { name: job.operation, data: { jobId: job.id }, opts };
}

/**
 * The jobs' twins in BullMQ. Every job has one from the moment it is queued, parked (delayed) until it is admitted, then promoted,
 * so that Bull board shows the whole line. Twins make jobs run and never decide whether they may: that is the claim in SQL.
 */
@Injectable()
export class Twins implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly queues = new Map<string, Queue<TwinData>>();

  constructor(
    private readonly redis: RedisConnections,
    private readonly database: DataSource,
    private readonly board: QueueBoard,
    private readonly announcements: Announcements,
  ) {}

  /** Bull board shows every host's lanes as soon as there is the host, not only those that were used since. */
  onApplicationBootstrap(): void {
    const show = async () => {
      const hosts = await this.database.query<{ id: number }[]>('SELECT id FROM hosts ORDER BY id');
      for (const { id } of hosts) for (const lane of lanes) this.queue(id, lane);
    };
    const { queues } = this.redis;
    // A host comes while the panel runs.
    this.announcements.on('host', ({ id }) => {
      if (queues.status === 'ready') for (const lane of lanes) this.queue(id, lane);
    });
    // What fails here is made at first use.
    if (queues.status === 'ready') show().catch(() => undefined);
    else queues.once('ready', () => void show().catch(() => undefined));
  }

  /**
   * The queue of a host's lane; made and shown on Bull board at first use.
   * @throws Error while Redis is away and the queue was not made before
   */
  queue(hostId: number, lane: Lane): Queue<TwinData> {
    const name = queueName(hostId, lane);
    const known = this.queues.get(name);
    if (known) return known;
    // BullMQ asks Redis for its version once, and a queue whose question failed fails for ever.
    if (this.redis.queues.status !== 'ready') throw new Error('Redis is away');
    const queue = new Queue<TwinData>(name, {
      connection: this.redis.queues,
      prefix: this.redis.prefix,
      skipWaitingForReady: true,
    });
    // The connection itself reports its errors (redis.ts); without a listener they would end the process.
    queue.on('error', () => undefined);
    queue.waitUntilReady().catch(() => this.queues.delete(name));
    this.queues.set(name, queue);
    void this.show(queue, hostId, lane);
    return queue;
  }

  /** Under the host's name on Bull board; BullMQ knows the lanes by the host's id. */
  private async show(queue: Queue<TwinData>, hostId: number, lane: Lane): Promise<void> {
    const hosts = await this.database
      .query<{ name: string }[]>('SELECT name FROM hosts WHERE id = $1', [hostId])
      // PostgreSQL is away: better with its number than not at all.
      .catch(() => []);
    this.board.add(queue, `${hosts[0]?.name ?? `host ${hostId}`} · ${lane}`);
  }

  /** The queues that this process has used or shown. */
  get known(): Queue<TwinData>[] {
    return [...this.queues.values()];
  }

  /** Adds twins that wait out of the way until their jobs are admitted. Does nothing where one exists. */
  async park(jobs: readonly WaitingJob[]): Promise<void> {
    const queues = new Map<Queue<TwinData>, WaitingJob[]>();
    for (const job of jobs) {
      const queue = this.queueOf(job);
      const parked = queues.get(queue);
      if (parked) parked.push(job);
      else queues.set(queue, [job]);
    }
    // fault point: twin not yet added
    await Promise.all(
      [...queues].map(([queue, parked]) => queue.addBulk(parked.map((job) => entryOf(job, { delay: PARKED_MS })))),
    );
    // fault point: twin added
  }

  /** Adds a twin that runs as soon as its lane has a place. For a job that cannot have a twin yet. */
  async addReady(job: WaitingJob): Promise<void> {
    const { name, data, opts } = entryOf(job, {});
    // fault point: twin not yet added
    await this.queueOf(job).add(name, data, opts);
    // fault point: twin added
  }

  /** Lets the twin of a job that was just admitted run: it should be parked. */
  async promote(job: WaitingJob): Promise<void> {
    const queue = this.queueOf(job);
    const { name, data, opts } = entryOf(job, {});
    // fault point: twin not yet promoted
    // Without reading it first: where it is not parked after all, the promotion fails.
    await new Twin(queue, name, data, opts, opts.jobId).promote().catch(() => this.ensureReady(job));
    // fault point: twin promoted
  }

  /** Makes sure that the job has a twin that will be delivered, whatever became of the one it had. */
  async ensureReady(job: WaitingJob): Promise<void> {
    const twin = await this.queueOf(job).getJob(twinId(job));
    if (!twin) {
      await this.addReady(job);
      // Whoever queued the job may have parked a twin just before: then adding one did nothing.
      return this.unpark(job);
    }
    const state = await twin.getState();
    if (state === 'delayed') return this.unpark(job);
    if (state === 'completed' || state === 'failed' || state === 'unknown') await this.replace(job);
  }

  /** Promotes the twin if it is parked; another process may have done so by now, or it was never parked. */
  private async unpark(job: WaitingJob): Promise<void> {
    const queue = this.queueOf(job);
    const { name, data, opts } = entryOf(job, {});
    // fault point: twin not yet promoted
    await new Twin(queue, name, data, opts, opts.jobId).promote().catch(async (error: unknown) => {
      if ((await queue.getJobState(opts.jobId)) === 'delayed') throw error;
    });
    // fault point: twin promoted
  }

  /** Removes the twin of a job that ended before it ran; one that is being delivered stays and is refused by the claim. */
  async remove(job: WaitingJob): Promise<void> {
    await this.queueOf(job).remove(twinId(job));
  }

  /** A finished twin makes adding under its id a no-op, so the job gets a twin with another number. */
  private async replace(job: WaitingJob): Promise<void> {
    const [rows] = await this.database.query<[{ twin: number }[], number]>(
      `UPDATE jobs SET twin = twin + 1 WHERE id = $1 AND twin = $2 AND state = 'queued' RETURNING twin`,
      [job.id, job.twin],
    );
    const twin = rows[0]?.twin;
    if (twin !== undefined) await this.addReady({ ...job, twin });
  }

  private queueOf(job: WaitingJob): Queue<TwinData> {
    return this.queue(job.hostId, laneOf(job.operation));
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.allSettled([...this.queues.values()].map((queue) => queue.close()));
  }
}
