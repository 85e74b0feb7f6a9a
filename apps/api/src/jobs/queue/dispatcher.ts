import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { RedisConnections } from '../../redis/redis.js';
import { Admission, type AdmittedJob, type WaitingJob } from './admission.js';
import type { QueuedJob } from './new-jobs.js';
import { ParkedTwins } from './parked-twins.js';
import { Twins } from './twins.js';

const RECONCILE_MS = 2000;
/** How long after an end the line is looked at as a whole. */
const SOON_MS = 100;
/** A twin that was seen to is not looked at again so soon. */
const SEEN_TO_MS = 1000;

/**
 * Keeps the line moving: admits what may run and sees to it that its twins are delivered. A job that is queued with nothing ahead, and
 * those that an end frees, are admitted there and then; what falls between two of these, each not seeing the other yet, is found by
 * looking at the whole line after the commit. Such looks are coalesced, one in flight and at most one behind it.
 */
@Injectable()
export class Dispatcher implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Dispatcher');
  /** Jobs queued by this process that have no twin yet. */
  private readonly fresh = new Map<number, WaitingJob>();
  /** When this process last saw to the twin of a job that may run, by its id (ms). */
  private seenTo = new Map<number, number>();
  private running: Promise<void> | null = null;
  private again = false;
  private stopped = false;
  private looking = false;
  private timer: NodeJS.Timeout | null = null;
  private soon: NodeJS.Timeout | null = null;
  private readonly complaints = new Map<string, string>();

  constructor(
    private readonly admission: Admission,
    private readonly twins: Twins,
    private readonly parked: ParkedTwins,
    private readonly redis: RedisConnections,
  ) {}

  onApplicationBootstrap(): void {
    // Redis came (back): what it held may be gone.
    this.redis.queues.on('ready', () => {
      this.seenTo.clear();
      void this.reconcile();
    });
    this.timer = setInterval(() => void this.reconcile(), RECONCILE_MS);
    void this.reconcile();
  }

  /** A job was just queued and cannot have a twin yet. */
  queued({ id, hostId, operation, admitted }: QueuedJob): void {
    const job = { id, hostId, operation, twin: 0 };
    if (admitted) {
      this.seenTo.set(id, performance.now());
      void this.attempt('Delivery', () => this.twins.addReady(job)).then((added) => {
        if (!added) this.seenTo.delete(id);
      });
    } else {
      this.fresh.set(id, job);
      void this.dispatch();
    }
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

  /**
   * Delivers jobs that the end of others has just admitted, in their order; resolves when they are delivered or will be tried again.
   * What was ended or queued at the very same time elsewhere has not been seen by that end: it is looked for soon after.
   */
  async deliver(admitted: readonly WaitingJob[]): Promise<void> {
    this.soon ??= setTimeout(() => {
      this.soon = null;
      void this.dispatch();
    }, SOON_MS);
    const delivered = await this.attempt('Delivery', async () => {
      for (const { id } of admitted) this.seenTo.set(id, performance.now());
      await Promise.all(
        admitted.map((job) => (this.fresh.delete(job.id) ? this.twins.addReady(job) : this.twins.promote(job))),
      );
    });
    if (!delivered) this.seenTo.clear();
  }

  /** Like dispatch, for a job whose twin has just been parked although it may run by now. */
  dispatchParked(jobId: number): Promise<void> {
    this.seenTo.delete(jobId);
    return this.dispatch();
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
      const ready = await this.admission.admit();
      const seenTo = this.seenTo;
      this.seenTo = new Map();
      const now = performance.now();
      // Sent together, in the jobs' order.
      const readied = ready.map(async (job) => {
        const last = seenTo.get(job.id) ?? -Infinity;
        const hasNone = fresh.delete(job.id);
        const due = hasNone || now - last > SEEN_TO_MS;
        this.seenTo.set(job.id, due ? now : last);
        if (due) await this.ready(job, hasNone);
      });
      await Promise.all([...readied, this.twins.park([...fresh.values()])]);
    } catch (error) {
      for (const job of fresh.values()) this.fresh.set(job.id, job);
      this.seenTo.clear();
      throw error;
    }
  }

  /** Sees to it that the twin of a job that may run is delivered. */
  private ready(job: AdmittedJob, hasNone: boolean): Promise<void> {
    if (hasNone) return this.twins.addReady(job);
    return job.fresh ? this.twins.promote(job) : this.twins.ensureReady(job);
  }

  /** Restores what Redis has lost: the twins of admitted jobs, then the parked ones. */
  private async reconcile(): Promise<void> {
    await this.dispatch();
    if (this.looking) return;
    this.looking = true;
    await this.attempt('Restoring the queue', () => this.parked.look());
    this.looking = false;
  }

  /** @returns false when it failed, which was said then */
  private async attempt(what: string, work: () => Promise<void>): Promise<boolean> {
    if (this.stopped) return false;
    try {
      await work();
      this.complaints.delete(what);
      return true;
    } catch (error) {
      // PostgreSQL or Redis is away; the reconciler tries again. Said once, not every two seconds.
      const text = error instanceof Error ? error.message : String(error);
      if (this.complaints.get(what) !== text && !this.stopped) {
        this.logger.warn(`${what} did not get through and is tried again: ${text}`);
      }
      this.complaints.set(what, text);
      return false;
    }
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    if (this.timer) clearInterval(this.timer);
    if (this.soon) clearTimeout(this.soon);
    await this.running;
  }
}
