import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';
import { HostLibrary } from '../hosts/host-library.js';
import { Announcements } from '../redis/announcements.js';
import { ServerStates } from './server-states.js';

const NOT_READY_MS = 1000;

/** Keeps the actual states of one host's servers true: at once when the host tells of a change, and every so often all of them. */
@Injectable()
export class StatePoller {
  private readonly logger = new Logger('StatePoller');
  private readonly abort = new AbortController();
  private readonly tasks: Promise<void>[] = [];
  private readonly looks = new Set<Promise<void>>();
  /** Some server has changed since none was waited for to become ready. */
  private mayBeUnready = true;
  private unlisten: (() => void) | null = null;

  constructor(
    private readonly settings: RunningSettings,
    private readonly library: HostLibrary,
    private readonly states: ServerStates,
    private readonly announcements: Announcements,
  ) {}

  start(hostId: number): void {
    this.unlisten = this.announcements.on('server', () => (this.mayBeUnready = true));
    this.tasks.push(
      this.repeat(this.settings.pollerIntervalSeconds * 1000, async () => {
        await this.states.poll(hostId);
        this.mayBeUnready = true; // also where the announcement of a change was lost
      }),
      this.repeat(NOT_READY_MS, async () => {
        if (!this.mayBeUnready) return;
        this.mayBeUnready = false;
        let names: string[] | null = null;
        try {
          names = await this.states.notReady(hostId);
        } finally {
          this.mayBeUnready ||= names?.length !== 0; // unanswered, it is asked again
        }
        if (names.length > 0) await this.states.poll(hostId, names);
      }),
      this.repeat(NOT_READY_MS, async () => {
        const host = await this.library.get();
        // One that does not answer must not hold up the news of the others.
        for await (const name of host.watch(this.abort.signal)) this.look(hostId, name);
      }),
    );
  }

  async stop(): Promise<void> {
    this.unlisten?.();
    this.abort.abort();
    await Promise.all(this.tasks);
    await Promise.all(this.looks);
  }

  private look(hostId: number, name: string): void {
    const look = this.states
      .poll(hostId, [name])
      .catch((error: unknown) => this.logger.warn(`The state of ${name} could not be read: ${String(error)}`))
      .finally(() => this.looks.delete(look));
    this.looks.add(look);
  }

  /** Does it, waits, and does it again until stopped; a failure is said once and does not end it. */
  private async repeat(intervalMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.abort;
    for (let complained = false; !signal.aborted;) {
      try {
        await work();
        complained = false;
      } catch (error) {
        if (!complained && !signal.aborted) this.logger.warn(`The servers' states could not be read: ${String(error)}`);
        complained = true;
      }
      await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }
}
