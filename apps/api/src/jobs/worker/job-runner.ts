import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed, type InstanceStatus, type Run } from '@left4me/host';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Announcements } from '../../redis/announcements.js';
import { announceJob } from '../announce-job.js';
import { maskedLine } from '../../secrets/masked-line.js';
import { SecretFinder } from '../../secrets/secret-finder.js';
import type { ServerMasks } from '../../secrets/server-masks.js';
import type { JobLines } from '../log/job-lines.js';
import { storable } from '../log/storable.js';
import { cancelledBy, type LookAt, lookAfter, serverNow } from './aftermath.js';
import { JobLogWriter } from './job-log-writer.js';
import type { End, JobRows } from './job-rows.js';
import type { OperationHandlers, RunningJob } from './operation-handler.js';

const PROGRESS_MS = 250;
const RETRY_MS = 1000;
/** The host library ends its commands within 10 s of being told to stop. */
const HEED_MS = 30_000;

/** Why a running job was told to stop. */
export type StopReason = 'cancelled' | 'time-limit' | 'shutdown';

class Stopped extends Error {
  constructor(readonly reason: StopReason) {
    super(reason);
  }
}

/** What a runner needs from the worker it belongs to. */
export interface RunnerContext {
  database: DataSource;
  announcements: Announcements;
  handlers: OperationHandlers;
  incarnation: string;
  rows: JobRows;
  lines: JobLines;
  /** What the server does, read on the host after its job. */
  lookAt: LookAt;
  masks: Pick<ServerMasks, 'of'>;
}

/** Runs one claimed job to its end: handler, time limit, cancellation, log, progress, and the end written once. Never throws. */
export class JobRunner {
  private readonly logger = new Logger('Job');
  private readonly abort = new AbortController();
  private readonly log: JobLogWriter;
  private unheeded: NodeJS.Timeout | null = null;
  private progressTimer: NodeJS.Timeout | null = null;
  private latestProgress: { percent: number | null; text: string | null } = { percent: null, text: null };

  constructor(
    private readonly context: RunnerContext,
    readonly job: RunningJob,
  ) {
    this.log = new JobLogWriter(context.lines, context.announcements, job.id, context.incarnation, () =>
      this.secrets(),
    );
  }

  /** Tells the handler to stop; the first reason counts. */
  stop(reason: StopReason): void {
    if (this.abort.signal.aborted) return;
    this.abort.abort(new Stopped(reason));
    this.unheeded = setTimeout(() => void this.complain(), HEED_MS);
  }

  /** The program ends and PostgreSQL does not answer: nothing more is waited for. */
  abandon(): void {
    this.log.abandon();
  }

  /** @returns how the job ended; null when that did not count, because another end was written before */
  async run(): Promise<End | null> {
    this.announce();
    const outcome = await this.outcome();
    if (this.unheeded) clearTimeout(this.unheeded);
    const seen = await lookAfter(this.job, this.context.lookAt);
    const how = await this.conclude(outcome, seen);
    if (this.progressTimer) clearTimeout(this.progressTimer);
    await this.log.drain();
    // fault point: end not yet written
    const written = await this.writeEnd(how, seen);
    this.announce();
    return written;
  }

  private async outcome(): Promise<End> {
    const { job } = this;
    const handler = this.context.handlers.find(job.operation);
    if (!handler) return this.failed(1, `This version of left4me does not know the operation ${job.operation}.`);
    if (job.operation !== 'install' && job.serverId === null && job.overlayId === null) {
      return this.failed(1, `What the ${job.operation} job was for, its server or overlay, has been deleted.`);
    }
    const limit = setTimeout(() => this.stop('time-limit'), handler.limitSeconds * 1000);
    try {
      // fault point: host command begins
      await handler.run(job, this.handlerRun());
      return { state: 'succeeded', exitCode: 0, error: null };
    } catch (error) {
      return await this.explain(error, handler.limitSeconds);
    } finally {
      clearTimeout(limit);
    }
  }

  private async explain(error: unknown, limitSeconds: number): Promise<End> {
    const reason = this.stopReason();
    if (reason === 'cancelled') return { state: 'cancelled', exitCode: null, error: null };
    if (reason === 'time-limit') return this.failed(1, `It took longer than ${limitSeconds} s and was stopped.`);
    if (reason === 'shutdown') {
      return { state: 'failed', exitCode: null, error: 'interrupted: the panel was stopped while the job ran' };
    }
    if (error instanceof CommandFailed) return this.failed(error.exitCode, error.message);
    if (!(error instanceof Error)) return this.failed(1, String(error));
    for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
      await this.log.write('stderr', `cause: ${cause.message}`);
    }
    return this.failed(1, error.message);
  }

  /** Of a job that was stopped in the middle: says by what, and what that has made of its server. */
  private async conclude(how: End, seen: InstanceStatus | null): Promise<End> {
    const now = serverNow(this.job, seen);
    if (how.state === 'cancelled') {
      await this.log.write('system', `${cancelledBy(await this.canceller())}${now}`);
      return how;
    }
    if (how.state !== 'failed' || how.exitCode !== null) return how;
    await this.log.write(
      'system',
      `The panel was stopped while this job ran; the job is not run again by itself.${now}`,
    );
    return { ...how, error: `${how.error}${now && `.${now}`}` };
  }

  private async canceller(): Promise<string | null> {
    try {
      const [user] = await this.context.database.query<{ name: string }[]>(
        `SELECT users.name FROM jobs JOIN users ON users.id = jobs.cancelled_by WHERE jobs.id = $1`,
        [this.job.id],
      );
      return user?.name ?? null;
    } catch {
      // PostgreSQL is away: the job's row says it.
      return null;
    }
  }

  private async failed(exitCode: number, error: string): Promise<End> {
    await this.log.write('stderr', error);
    return { state: 'failed', exitCode, error };
  }

  /** An operation that goes on regardless keeps its claims: what it does to the host must not meet another job. */
  private async complain(): Promise<void> {
    const text = `The ${this.job.operation} does not stop although it was told to; whatever waits for it goes on waiting.`;
    this.logger.error(`Job ${this.job.id}: ${text}`);
    await this.log.write('system', text);
  }

  private stopReason(): StopReason | null {
    const reason: unknown = this.abort.signal.reason;
    return reason instanceof Stopped ? reason.reason : null;
  }

  private handlerRun(): Run {
    return {
      signal: this.abort.signal,
      output: {
        write: (stream, line) => this.log.write(stream, line),
        progress: (percent, text) => this.progress(percent, text ?? null),
      },
    };
  }

  /** The server's, as they are now: initialize may have given it others. */
  private secrets(): Promise<SecretFinder> {
    const { serverId } = this.job;
    return serverId === null ? Promise.resolve(SecretFinder.none) : this.context.masks.of(serverId);
  }

  private progress(percent: number | null, text: string | null): void {
    this.latestProgress = { percent, text };
    this.progressTimer ??= setTimeout(() => void this.storeProgress(), PROGRESS_MS);
  }

  private async storeProgress(): Promise<void> {
    this.progressTimer = null;
    const { percent, text } = this.latestProgress;
    try {
      const shown = text && storable(maskedLine(text, await this.secrets()));
      await this.context.database.query(
        `UPDATE jobs SET progress_percent = $3, progress_text = $4 WHERE id = $1 AND incarnation = $2 AND state = 'running'`,
        [this.job.id, this.context.incarnation, percent, shown],
      );
      this.context.announcements.publish({ topic: 'job', id: this.job.id });
    } catch (error) {
      this.logger.debug(`progress of job ${this.job.id} not stored: ${String(error)}`);
    }
  }

  /**
   * Until it is written: without PostgreSQL a job has not ended.
   * @returns what was written; null when it did not count
   */
  private async writeEnd(how: End, seen: InstanceStatus | null): Promise<End | null> {
    for (;;) {
      try {
        const end = { ...how, error: how.error && maskedLine(how.error, await this.secrets()) };
        if (await this.context.rows.end(this.job.id, this.context.incarnation, end, { seen })) return end;
        this.logger.warn(
          `Job ${this.job.id} had ended already when its end (${how.state}) was written: the answer to an earlier attempt was lost, or another worker has ended it.`,
        );
        return null;
      } catch (error) {
        // The next worker of this host ends it as interrupted.
        if (this.stopReason() === 'shutdown') return { ...how, error: null };
        this.logger.warn(`The end of job ${this.job.id} waits for PostgreSQL: ${String(error)}`);
        await sleep(RETRY_MS);
      }
    }
  }

  private announce(): void {
    announceJob(this.context.announcements, this.job);
  }
}
