import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RedisConnections } from '../../redis/redis.js';
import { admit, admittedButNotRunning, parked, type WaitingJob } from './admission.js';
import { Twins } from './twins.js';

const RECONCILE_MS = 2000;
const PARK_PAGE = 500;

/**
 * Keeps the line moving: admits what may run and sees to it that its twins are delivered. Called after every commit that queues or
 * ends a job, in a statement of its own: looking for the next job in the statement that ends one loses wake-ups. Calls are
 * coalesced, one in flight and at most one behind it.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Dispatcher');
  private readonly fresh = new Map<number, WaitingJob>();
  private running: Promise<void> | null = null;
  private again = false;
  private stopped = false;
  private timer: NodeJS.Timeout | null = null;
  private readonly complaints = new Map<string, string>();

  constructor(
    private readonly database: DataSource,
    private readonly twins: Twins,
    private readonly redis: RedisConnections,
  ) {}

  onApplicationBootstrap(): void {
    // Redis came (back): what it held may be gone.
    this.redis.queues.on('ready', () => void this.reconcile());
    this.timer = setInterval(() => void this.reconcile(), RECONCILE_MS);
    void this.reconcile();
  }

  /** A job was just queued and cannot have a twin yet. */
  queued(job: WaitingJob): void {
    this.fresh.set(job.id, job);
    void this.dispatch();
  }

  /** Resolves when a dispatch that began after this call has ended. Never throws: what fails is done again by the reconciler. */
  dispatch(): Promise<void> {
    if (this.running) {
      this.again = true;
      return this.running;
    }
    this.running = this.loop();
    return this.running;
  }

  private async loop(): Promise<void> {
    do {
      this.again = false;
      await this.attempt('Dispatch', () => this.once());
    } while (this.again && !this.stopped);
    // In the same step as the last look at `again`: a call in between would be lost.
    this.running = null;
  }

  private async once(): Promise<void> {
    const fresh = new Map(this.fresh);
    this.fresh.clear();
    try {
      await admit(this.database.manager);
      const ready = await admittedButNotRunning(this.database.manager);
      // Sent together: ioredis pipelines what is not awaited one by one, in the jobs' order.
      const readied = ready.map((job) =>
        fresh.delete(job.id) ? this.twins.addReady(job) : this.twins.ensureReady(job),
      );
      await Promise.all([...readied, ...[...fresh.values()].map((job) => this.twins.park(job))]);
    } catch (error) {
      for (const job of fresh.values()) this.fresh.set(job.id, job);
      throw error;
    }
  }

  /** Restores what Redis has lost: the twins of admitted jobs, then the parked ones. */
  private async reconcile(): Promise<void> {
    await this.dispatch();
    await this.attempt('Restoring the queue', () => this.restoreParked());
  }

  private async restoreParked(): Promise<void> {
    // A marker in Redis says that the parked twins are there; it vanishes with them.
    const marker = `${this.redis.prefix}:twins-parked`;
    if ((await this.redis.commands.exists(marker)) === 1) return;
    for (let after = 0; !this.stopped;) {
      const jobs = await parked(this.database.manager, after, PARK_PAGE);
      await Promise.all(jobs.map((job) => this.twins.park(job)));
      const last = jobs.at(-1);
      if (!last || jobs.length < PARK_PAGE) break;
      after = last.id;
    }
    await this.redis.commands.set(marker, '1');
  }

  private async attempt(what: string, work: () => Promise<void>): Promise<void> {
    if (this.stopped) return;
    try {
      await work();
      this.complaints.delete(what);
    } catch (error) {
      // PostgreSQL or Redis is away; the reconciler tries again. Said once, not every two seconds.
      const text = error instanceof Error ? error.message : String(error);
      if (this.complaints.get(what) !== text && !this.stopped) {
        this.logger.warn(`${what} did not get through and is tried again: ${text}`);
      }
      this.complaints.set(what, text);
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    if (this.timer) clearInterval(this.timer);
    await this.running;
  }
}
