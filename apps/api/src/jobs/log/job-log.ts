import { Injectable } from '@nestjs/common';
import { Announcements } from '../../redis/announcements.js';
import type { JobState } from '../job.entity.js';
import { JobLines, type LogItem } from './job-lines.js';

const PAGE = 2000;
const LOOK_AGAIN_MS = 2000;

/** A step of following a job's log: lines, or its end, after which nothing comes. */
export interface JobLogStep {
  items?: LogItem[];
  end?: { state: JobState; exitCode: number | null };
}

/** Reads jobs' logs from the table; announcements only say when to look again. */
@Injectable()
export class JobLog {
  constructor(
    private readonly lines: JobLines,
    private readonly announcements: Announcements,
  ) {}

  /** Lines after `after` (0: from the first), at most `limit`. */
  async read(jobId: number, after: number, limit: number): Promise<LogItem[]> {
    return (await this.lines.read(jobId, after, limit)).items;
  }

  /** Follows from `after` to the job's end or until the signal aborts. The end is told once every line was. */
  async *follow(jobId: number, after: number, signal: AbortSignal): AsyncGenerator<JobLogStep> {
    let changed: Promise<void> | null = null;
    for (let position = after; !signal.aborted;) {
      changed ??= this.announcements.logChanged('job-log', jobId, LOOK_AGAIN_MS, signal);
      const { job, items } = await this.lines.read(jobId, position, PAGE);
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
