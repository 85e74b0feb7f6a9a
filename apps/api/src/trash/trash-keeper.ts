import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '@left4me/host';
import { Injectable, Logger } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';
import { HostLibrary } from '../hosts/host-library.js';
import { Announcements } from '../redis/announcements.js';
import { TrashRows } from './trash-rows.js';

/** What is due is removed this often, and what somebody asked for while the announcement of it was lost. */
const EVERY_MS = 3600_000;

/** Keeps one host's trash: its rows equal to what is on the disk, and nothing there for longer than the setting says. */
@Injectable()
export class TrashKeeper {
  private readonly logger = new Logger('Trash');
  private readonly abort = new AbortController();
  private keeping: Promise<void> = Promise.resolve();
  private stopListening = (): void => undefined;
  private asked = false;
  private wake = (): void => undefined;

  constructor(
    private readonly settings: RunningSettings,
    private readonly library: HostLibrary,
    private readonly rows: TrashRows,
    private readonly announcements: Announcements,
  ) {}

  start(hostId: number): void {
    this.stopListening = this.announcements.on('purge', ({ id }) => {
      if (id !== hostId) return;
      this.asked = true;
      this.wake();
    });
    this.keeping = this.keep(hostId);
  }

  async stop(): Promise<void> {
    this.stopListening();
    this.abort.abort();
    await this.keeping;
  }

  /** Writes down what the disk says: a worker that was killed may have moved something without saying so. */
  async match(hostId: number, host: Host): Promise<void> {
    // First, or what a job puts away meanwhile would be taken for gone.
    const known = await this.rows.kept(hostId);
    const entries = await host.trash.entries();
    const paths = new Set(entries.map(({ path }) => path));
    await this.rows.note(hostId, entries);
    await this.rows.noteGone(
      hostId,
      known.filter((path) => !paths.has(path)),
    );
  }

  private async keep(hostId: number): Promise<void> {
    const { signal } = this.abort;
    while (!signal.aborted) {
      this.asked = false;
      await this.try('The trash was not looked after', () => this.look(hostId));
      if (!this.asked) await this.pause();
    }
  }

  private async look(hostId: number): Promise<void> {
    const host = await this.library.get();
    await this.try('What was left over in the trash was not removed', () => host.trash.tidy());
    await this.try('The trash was not compared with its rows', () => this.match(hostId, host));
    for (const entry of await this.rows.beginPurge(hostId, this.settings.trashDays)) {
      if (this.abort.signal.aborted) return;
      await this.purge(entry, host);
    }
  }

  /** One that cannot be removed stops no other: its row says why, and the next look tries again. */
  private async purge({ id, path }: { id: number; path: string }, host: Host): Promise<void> {
    try {
      await host.trash.purge(path);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.logger.warn(`trash/${path} was not removed, the next look tries again: ${why}`);
      await this.rows.notePurgeProblem(id, reasonIn(why));
      return;
    }
    await this.rows.forget(id);
    this.logger.log(`Removed trash/${path} for good.`);
  }

  private async try(failed: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.logger.warn(`${failed}: ${String(error)}`);
    }
  }

  private async pause(): Promise<void> {
    const woken = new AbortController();
    this.wake = () => woken.abort();
    const signal = AbortSignal.any([this.abort.signal, woken.signal]);
    await sleep(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/** Without the machine's paths, which are the log's: "EACCES: permission denied, unlink '/…'" tells users its first half. */
function reasonIn(message: string): string {
  return message.replace(/, \w+ '.*$/s, '');
}
