import { Logger } from '@nestjs/common';
import { DelayedError, type Job as Twin, UnrecoverableError, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { RedisConnections } from '../../redis/redis.js';
import type { Job } from '../job.entity.js';
import type { Dispatcher } from '../queue/dispatcher.js';
import { lanes, placesOf } from '../queue/lanes.js';
import { PARKED_MS, queueName, twinData } from '../queue/twins.js';
import { JobRunner, type RunnerContext, type StopReason } from './job-runner.js';
import { endInterrupted, type Interrupted, interrupted } from './recovery.js';

const LOOK_MS = 1000;
/** While nothing runs there is nothing to cancel: only every so many looks are made. */
const IDLE_LOOKS = 5;
/** A promotion that came while its twin was being refused is made good after this. */
const SETTLE_MS = 50;
/** A twin of a running job, delivered once more, asks again after this. */
const AGAIN_MS = 5000;
/** How long stopping waits for the running jobs' ends. */
const STOP_MS = 15_000;
/** How long stopping waits for Redis after that. */
const CUT_MS = 1000;

const neverBegun = {
  short: 'the connection to PostgreSQL broke before the job began',
  full: 'The connection to PostgreSQL broke before this job began; nothing was done, and it is not run again by itself.',
};

/** What the lanes of one host need. */
export interface LaneContext extends RunnerContext {
  redis: RedisConnections;
  dispatcher: Dispatcher;
  hostId: number;
  concurrency: number;
}

/** What becomes of the twin of a job that has ended: it fails where the job did. */
function outcome({ state, error }: Pick<Job, 'state' | 'error'>): string {
  if (state === 'failed') throw new UnrecoverableError(error ?? state);
  return state;
}

/**
 * The BullMQ workers of a host's lanes. A twin that is delivered only asks: whether its job may run is decided by the claim, so
 * a twin retried or promoted by hand from Bull board runs nothing outside the line.
 */
export class LaneWorkers {
  private readonly logger = new Logger('Worker');
  private readonly workers: Worker[] = [];
  private readonly connections: Redis[] = [];
  /** Deliveries that are not over yet. */
  private readonly delivered = new Set<Promise<string>>();
  private readonly running = new Map<number, JobRunner>();
  private readonly claiming = new Set<number>();
  /** Jobs that are this worker's by their rows, though it does not know them, as of the last look. */
  private unowned = new Set<number>();
  /** Why no more jobs are taken. One whose claim is just being written is told when it begins. */
  private stopping: StopReason | null = null;
  private lookTimer: NodeJS.Timeout | null = null;
  private idleLooks = 0;
  private unlisten: (() => void) | null = null;

  constructor(private readonly context: LaneContext) {}

  start(): void {
    const { redis, hostId, concurrency } = this.context;
    for (const lane of lanes) {
      const connection = redis.connect({ maxRetriesPerRequest: null });
      const worker = new Worker(queueName(hostId, lane), (twin, token) => this.deliver(twin, token), {
        connection,
        prefix: redis.prefix,
        concurrency: placesOf(lane, concurrency),
        // A killed worker's twins come back after these two; whether their jobs run again is not BullMQ's to decide.
        lockDuration: 5000,
        stalledInterval: 2500,
        maxStalledCount: 1_000_000,
        // As long as BullMQ waits at most where twins are parked. A twin that is added ends the wait.
        drainDelay: 10,
      });
      worker.on('error', (error) => this.logger.debug(`${lane} lane: ${error.message}`));
      this.workers.push(worker);
      this.connections.push(connection);
    }
    this.unlisten = this.context.announcements.on('cancel', ({ id }) => this.running.get(id)?.stop('cancelled'));
    this.lookTimer = setInterval(() => void this.look(), LOOK_MS);
  }

  /** Takes no more jobs, tells the running ones to stop and waits for their ends. */
  async stop(reason: StopReason): Promise<void> {
    if (this.lookTimer) clearInterval(this.lookTimer);
    this.unlisten?.();
    this.stopping = reason;
    for (const runner of this.running.values()) runner.stop(reason);
    const giveUp = setTimeout(() => {
      for (const runner of this.running.values()) runner.abandon();
    }, STOP_MS);
    const closed = Promise.allSettled(this.workers.map((worker) => worker.close()));
    while (this.delivered.size > 0) await Promise.allSettled(this.delivered);
    clearTimeout(giveUp);
    // All that is left is BullMQ's, and without Redis it waits for Redis.
    const cut = setTimeout(() => {
      for (const connection of this.connections) connection.disconnect();
    }, CUT_MS);
    await closed;
    clearTimeout(cut);
  }

  private deliver(twin: Twin, token: string | undefined): Promise<string> {
    const delivery = this.process(twin, token).finally(() => this.delivered.delete(delivery));
    this.delivered.add(delivery);
    return delivery;
  }

  private async process(twin: Twin, token: string | undefined): Promise<string> {
    const data = twinData.safeParse(twin.data);
    if (!data.success) throw new UnrecoverableError('This entry names no job of left4me; nothing was run.');
    // fault point: twin delivered
    const runner = await this.claim(data.data.jobId);
    if (!runner) return this.refuse(twin, token, data.data.jobId);
    try {
      return outcome((await runner.run()) ?? (await this.rowOf(runner.job.id)));
    } finally {
      this.running.delete(runner.job.id);
    }
  }

  /** The claim was refused. A job that is still to come waits again, out of the way; that of one that has ended ends as it did. */
  private async refuse(twin: Twin, token: string | undefined, jobId: number): Promise<string> {
    const { state, error } = await this.rowOf(jobId);
    if (state === 'queued') {
      await twin.moveToDelayed(Date.now() + PARKED_MS, token);
      setTimeout(() => void this.context.dispatcher.dispatchParked(jobId), SETTLE_MS);
    } else if (state === 'running' || state === 'cancelling') {
      // Delivered a second time while it runs, as after seconds without Redis: it asks again, unless the look at parked twins has taken it away by then.
      await twin.moveToDelayed(Date.now() + AGAIN_MS, token);
    } else {
      return outcome({ state, error: `${error ?? state} (job ${jobId} had ended already: nothing was run again)` });
    }
    throw new DelayedError();
  }

  private async rowOf(jobId: number): Promise<Pick<Job, 'state' | 'error'>> {
    const [row] = await this.context.database.query<Pick<Job, 'state' | 'error'>[]>(
      `SELECT state, error FROM jobs WHERE id = $1`,
      [jobId],
    );
    if (!row) throw new UnrecoverableError(`There is no job ${jobId}; nothing was run.`);
    return row;
  }

  /** A runner for the job, if it may run. From its claim on the job is always in `claiming` or in `running`. */
  private async claim(jobId: number): Promise<JobRunner | null> {
    this.claiming.add(jobId);
    try {
      const job = await this.context.rows.claim(jobId, this.context.incarnation);
      if (!job) return null;
      // fault point: job claimed
      const runner = new JobRunner(this.context, job);
      this.running.set(job.id, runner);
      if (this.stopping) runner.stop(this.stopping);
      return runner;
    } finally {
      this.claiming.delete(jobId);
    }
  }

  /** Announcements may be lost; the rows are not. Neither are jobs whose claim was written while its answer got lost. */
  private async look(): Promise<void> {
    const idle = this.delivered.size + this.running.size + this.unowned.size === 0;
    if (idle && ++this.idleLooks % IDLE_LOOKS !== 0) return;
    try {
      const rows = await this.context.database.query<Interrupted[]>(
        `SELECT ${interrupted} FROM jobs WHERE finished_at IS NULL AND state <> 'queued' AND incarnation = $1`,
        [this.context.incarnation],
      );
      const unowned = new Set<number>();
      for (const row of rows) {
        const runner = this.running.get(row.id);
        if (runner && row.state === 'cancelling') runner.stop('cancelled');
        if (!runner && !this.claiming.has(row.id)) unowned.add(row.id);
      }
      // Seen twice: one that ended while the answer was on its way is no longer there the second time.
      const left = rows.filter(({ id }) => unowned.has(id) && this.unowned.has(id));
      this.unowned = unowned;
      await Promise.all(left.map((row) => this.endUnstarted(row)));
    } catch (error) {
      this.logger.debug(`jobs not looked at: ${String(error)}`);
    }
  }

  /** The claim's answer never came, so nothing was begun: the job ends like one whose worker died. */
  private async endUnstarted(job: Interrupted): Promise<void> {
    await endInterrupted(this.context, job, neverBegun);
  }
}
