import { timeLimit } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Announcements } from '../redis/announcements.js';

const LOOK_AGAIN_MS = 2000;

/** Waits for jobs to end. */
@Injectable()
export class JobEnds {
  constructor(
    private readonly database: DataSource,
    private readonly announcements: Announcements,
  ) {}

  /** Resolves when the job has ended, the time is up or the signal aborts. */
  async wait(jobId: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, timeLimit(timeoutMs)]);
    while (!over.aborted) {
      const changed = this.changed(jobId, over);
      if (await this.hasEnded(jobId)) return;
      await changed;
    }
  }

  private async hasEnded(jobId: number): Promise<boolean> {
    const rows = await this.database.query<unknown[]>(`SELECT 1 FROM jobs WHERE id = $1 AND finished_at IS NOT NULL`, [
      jobId,
    ]);
    return rows.length > 0;
  }

  /** Resolves when the job may have changed: it was announced, or it is time to look again. */
  private changed(jobId: number, over: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        unlisten();
        over.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, LOOK_AGAIN_MS);
      const unlisten = this.announcements.on('job', ({ id }) => {
        if (id === jobId) done();
      });
      over.addEventListener('abort', done);
    });
  }
}
