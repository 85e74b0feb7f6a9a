import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Announcements } from '../../redis/announcements.js';
import type { JobState } from '../job.entity.js';
import type { JobStream } from '../job-log-line.entity.js';

const PAGE = 2000;
const LOOK_AGAIN_MS = 2000;

export interface LogItem {
  /** Gapless from 1, but for what a marker line counts as left out. */
  seq: number;
  stream: JobStream;
  line: string;
  at: string;
}

/** A step of following a job's log: lines, or its end, after which nothing comes. */
export interface JobLogStep {
  items?: LogItem[];
  end?: { state: JobState; exitCode: number | null };
}

/** Reads jobs' logs from the table; announcements only say when to look again. */
@Injectable()
export class JobLog {
  constructor(
    private readonly database: DataSource,
    private readonly announcements: Announcements,
  ) {}

  /** Lines after `after` (0: from the first), at most `limit`. */
  async read(jobId: number, after: number, limit: number): Promise<LogItem[]> {
    const rows = await this.database.query<{ seq: number; stream: JobStream; line: string; at: Date }[]>(
      `SELECT seq, stream, line, at FROM job_log WHERE job_id = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
      [jobId, after, limit],
    );
    return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
  }

  /** Follows from `after` to the job's end or until the signal aborts. The end is told once every line was. */
  async *follow(jobId: number, after: number, signal: AbortSignal): AsyncGenerator<JobLogStep> {
    let changed: Promise<void> | null = null;
    for (let position = after; !signal.aborted;) {
      changed ??= this.announcements.logChanged('job-log', jobId, LOOK_AGAIN_MS, signal);
      // The state is read before the lines: a job that had ended by then writes no more.
      const [job] = await this.database.query<{ state: JobState; exitCode: number | null; ended: boolean }[]>(
        `SELECT state, exit_code AS "exitCode", finished_at IS NOT NULL AS ended FROM jobs WHERE id = $1`,
        [jobId],
      );
      const items = await this.read(jobId, position, PAGE);
      if (items.length > 0) yield { items };
      position = items.at(-1)?.seq ?? position;
      if (items.length === PAGE) continue;
      if (!job || job.ended) {
        yield { end: { state: job?.state ?? 'cancelled', exitCode: job?.exitCode ?? null } };
        return;
      }
      await changed;
      changed = null;
    }
  }
}
