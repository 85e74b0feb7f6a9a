import { setTimeout as sleep } from 'node:timers/promises';
import type { NewestBuild } from '@left4me/host';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Announcements } from '../redis/announcements.js';
import { HostLibrary } from './host-library.js';
import { RuntimeBuilds } from './runtime-builds.js';

/** Steam is asked this often; an install asks by itself. */
const EVERY_MS = 6 * 3600_000;
/** A worker that starts has other things to do. */
const FIRST_MS = 60_000;

/** How long to wait before Steam is asked, in ms. */
export function nextLookIn(newest: NewestBuild | null, now: number): number {
  const due = newest === null ? 0 : Date.parse(newest.seenAt) + EVERY_MS - now;
  return Math.min(EVERY_MS, Math.max(FIRST_MS, due));
}

/** Asks Steam every now and then whether it has a newer build of the game than the host, and writes down what it says. */
@Injectable()
export class NewestBuildWatch {
  private readonly logger = new Logger('NewestBuild');
  private readonly abort = new AbortController();
  private watching: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: DataSource,
    private readonly library: HostLibrary,
    private readonly builds: RuntimeBuilds,
    private readonly announcements: Announcements,
  ) {}

  /** Does nothing on a host without steamcmd. */
  start(hostId: number): void {
    this.watching = this.watch(hostId).catch((error: unknown) => {
      this.logger.warn(`Steam is not asked for newer builds any more: ${String(error)}`);
    });
  }

  async stop(): Promise<void> {
    this.abort.abort();
    await this.watching;
  }

  /** One look; not while an install is under way or waits. A failure is said and nothing else. */
  async look(hostId: number): Promise<void> {
    try {
      const installs = await this.database.query<unknown[]>(
        `SELECT 1 FROM jobs WHERE host_id = $1 AND operation = 'install' AND finished_at IS NULL LIMIT 1`,
        [hostId],
      );
      if (installs.length > 0) return;
      const host = await this.library.get();
      const { signal } = this.abort;
      await host.lookForNewest({ signal, output: { write: () => Promise.resolve(), progress: () => undefined } });
      const { newest } = await host.runtimes();
      if (await this.builds.noteNewest(hostId, newest)) this.announcements.publish({ topic: 'host', id: hostId });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.abort.signal.aborted) this.logger.warn(`Steam was asked for its newest build: ${why}`);
    }
  }

  private async watch(hostId: number): Promise<void> {
    const host = await this.library.get();
    if (host.facts.runtimeKind !== 'steam') return;
    const { signal } = this.abort;
    let wait = nextLookIn((await host.runtimes()).newest, Date.now());
    while (!signal.aborted) {
      await sleep(wait, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.look(hostId);
      wait = EVERY_MS;
    }
  }
}
