import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { Announcements } from '../../redis/announcements.js';
import { maskedLine } from '../../secrets/masked-line.js';
import type { SecretFinder } from '../../secrets/secret-finder.js';
import type { JobStream } from '../job-log-line.entity.js';
import type { JobLines, NewLine } from '../log/job-lines.js';
import { storable } from '../log/storable.js';

/** Lines kept from the beginning and from the end of a log. */
const KEPT_LINES = 50_000;
/** Lines in memory beyond which a writer has to wait: the child's pipe is not read meanwhile. */
const HIGH_WATER = 5000;
/** Chatty children's batches are taken at multiples of this time: those of all jobs share some thirty statements a second. */
const BATCH_MS = 30;
const RETRY_MS = 500;

/**
 * Stores a running job's lines, without secrets, in order, gapless from 1, in batches; then announces the last number only. While PostgreSQL is away
 * it keeps what it has and makes the writer wait: nothing is dropped. Only the job's own worker writes, fenced by its incarnation.
 */
export class JobLogWriter {
  private readonly logger = new Logger('JobLog');
  private waiting: NewLine[] = [];
  private flushing: Promise<void> | null = null;
  private seq = 0;
  private abandoned = false;

  constructor(
    private readonly lines: JobLines,
    private readonly announcements: Announcements,
    private readonly jobId: number,
    private readonly incarnation: string,
    private readonly secrets: () => Promise<SecretFinder>,
    private readonly keep = KEPT_LINES,
  ) {}

  /** Takes a line. Resolves at once unless too much is waiting to be stored. */
  async write(stream: JobStream, line: string): Promise<void> {
    this.waiting.push({ stream, line, at: Date.now() });
    this.flushing ??= this.flush();
    if (this.waiting.length >= HIGH_WATER) await this.flushing;
  }

  /** Resolves when every line taken so far is stored. */
  async drain(): Promise<void> {
    while (this.flushing) await this.flushing;
  }

  /** The program ends and cannot wait for PostgreSQL any longer: stops trying. */
  abandon(): void {
    this.abandoned = true;
  }

  private async flush(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, HIGH_WATER);
      await this.untilStored(() => this.append(batch));
      this.seq += batch.length;
      await this.untilStored(() => this.trim());
      this.announcements.publish({ topic: 'job-log', id: this.jobId, seq: this.seq });
      if (this.waiting.length > 0) await sleep(BATCH_MS - (performance.now() % BATCH_MS));
    }
    this.flushing = null;
  }

  /** Tries until it is done: without PostgreSQL nothing goes on, and nothing is dropped. */
  private async untilStored(write: () => Promise<unknown>): Promise<void> {
    for (let complained = false; !this.abandoned; complained = true) {
      try {
        await write();
        return;
      } catch (error) {
        if (!complained) this.logger.warn(`The log of job ${this.jobId} waits for PostgreSQL: ${String(error)}`);
        await sleep(RETRY_MS);
      }
    }
  }

  /** Masked before it is cut: the cut could leave a part of a secret. */
  private async append(batch: readonly NewLine[]): Promise<void> {
    const secrets = await this.secrets();
    const lines = batch.map(({ line, ...about }) => ({ ...about, line: storable(maskedLine(line, secrets)) }));
    await this.lines.append({ jobId: this.jobId, incarnation: this.incarnation, after: this.seq, lines });
  }

  /** Keeps the first and the last lines of a log that grows without end; a marker in between counts what was left out. */
  private async trim(): Promise<void> {
    const leftOut = this.seq - 2 * this.keep;
    if (leftOut <= 1) return;
    const marker = `… ${leftOut} lines were left out here: a log keeps its first and last ${this.keep} …`;
    await this.lines.leaveOut(this.jobId, this.keep, this.keep + leftOut, marker);
  }
}
