import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { DataSource } from 'typeorm';
import type { Announcements } from '../../redis/announcements.js';
import type { JobStream } from '../job-log-line.entity.js';

/** Longest stored line, in UTF-16 code units. */
const LINE_LIMIT = 4096;
/** Lines kept from the beginning and from the end of a log. */
const KEPT_LINES = 50_000;
/** Lines in memory beyond which a writer has to wait: the child's pipe is not read meanwhile. */
const HIGH_WATER = 5000;
/** Shortest time between two batches: a chatty child costs fifty inserts a second, not a thousand. */
const BATCH_MS = 20;
const RETRY_MS = 500;

interface Line {
  stream: JobStream;
  line: string;
  at: Date;
}

/**
 * Stores a running job's lines, in order, gapless from 1, in batches; then announces the last number only. While PostgreSQL is away
 * it keeps what it has and makes the writer wait: nothing is dropped. Only the job's own worker writes, fenced by its incarnation.
 */
export class JobLogWriter {
  private readonly logger = new Logger('JobLog');
  private waiting: Line[] = [];
  private flushing: Promise<void> | null = null;
  private seq = 0;
  private abandoned = false;

  constructor(
    private readonly database: DataSource,
    private readonly announcements: Announcements,
    private readonly jobId: number,
    private readonly incarnation: string,
    private readonly keep = KEPT_LINES,
  ) {}

  /** Takes a line. Resolves at once unless too much is waiting to be stored. */
  async write(stream: JobStream, line: string): Promise<void> {
    this.waiting.push({ stream, line: storable(line), at: new Date() });
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
      await this.untilStored(() => this.insert(batch));
      this.seq += batch.length;
      await this.untilStored(() => this.trim());
      this.announcements.publish({ topic: 'job-log', id: this.jobId, seq: this.seq });
      if (this.waiting.length > 0) await sleep(BATCH_MS);
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

  /** A batch whose answer was lost may be sent again: what is stored already is left as it is. */
  private insert(batch: Line[]): Promise<unknown> {
    return this.database.query(
      `INSERT INTO job_log (job_id, seq, stream, line, at)
       SELECT $1, $2 + n, stream, line, at
       FROM unnest($3::text[], $4::text[], $5::timestamptz[]) WITH ORDINALITY AS lines (stream, line, at, n)
       WHERE EXISTS (SELECT FROM jobs WHERE id = $1 AND incarnation = $6 AND finished_at IS NULL)
       ON CONFLICT DO NOTHING`,
      [
        this.jobId,
        this.seq,
        batch.map((l) => l.stream),
        batch.map((l) => l.line),
        batch.map((l) => l.at),
        this.incarnation,
      ],
    );
  }

  /** Keeps the first and the last lines of a log that grows without end; a marker in between counts what was left out. */
  private async trim(): Promise<void> {
    const leftOut = this.seq - 2 * this.keep;
    if (leftOut <= 1) return;
    await this.database.query(
      `WITH gone AS (DELETE FROM job_log WHERE job_id = $1 AND seq > $2 + 1 AND seq <= $2 + $3)
       UPDATE job_log SET stream = 'system', line = $4 WHERE job_id = $1 AND seq = $2 + 1`,
      [
        this.jobId,
        this.keep,
        leftOut,
        `… ${leftOut} lines were left out here: a log keeps its first and last ${this.keep} …`,
      ],
    );
  }
}

/** Terminal escapes stay, as data; what PostgreSQL cannot store and what nobody can read does not. */
export function storable(line: string): string {
  const text = line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)}… [cut: ${line.length} characters]` : line;
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
