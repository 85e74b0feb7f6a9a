import { HostError } from '../errors.js';
import { ofServiceUser, type JournalEntry } from './journal-entry.js';
import { journalctl, type Journalctl } from './journalctl.js';
import { SERVER_SLICE } from './unit-names.js';

/** What all servers print, also those journald knows no unit of, and what systemd (process 1) says about units. */
function everything(): string[] {
  return [`_SYSTEMD_SLICE=${SERVER_SLICE}`, '+', ...ofServiceUser(), '+', '_PID=1'];
}

export interface Listener {
  entry(entry: JournalEntry): void;
  /** Nothing more comes: whoever needs more listens again. */
  ended(error: Error): void;
}

interface Following {
  abort: AbortController;
  positioned: Promise<void>;
}

/** One `journalctl --follow` for all servers of the machine, as long as somebody listens: fifty would cost 500 MB. */
export class JournalFollower {
  private readonly listeners = new Set<Listener>();
  private following: Following | null = null;

  constructor(private readonly journal: Journalctl = journalctl) {}

  /**
   * Resolves once every entry from now on will be heard. Returns what ends listening.
   * Throws `HostError` when the journal cannot be read.
   */
  async listen(listener: Listener): Promise<() => void> {
    this.listeners.add(listener);
    this.following ??= this.begin();
    await this.following.positioned;
    return () => {
      this.listeners.delete(listener);
      if (this.listeners.size === 0) this.stop();
    };
  }

  private begin(): Following {
    const abort = new AbortController();
    const from = this.lastCursor(abort.signal);
    from
      .then((cursor) => this.follow(cursor, abort.signal))
      .catch((error: unknown) => {
        if (abort.signal.aborted) return;
        const listeners = [...this.listeners];
        this.listeners.clear();
        this.stop();
        for (const listener of listeners) listener.ended(error instanceof Error ? error : new Error(String(error)));
      });
    return { abort, positioned: from.then(() => undefined) };
  }

  private async follow(cursor: string | null, signal: AbortSignal): Promise<void> {
    const place = cursor === null ? '--lines=all' : `--after-cursor=${cursor}`;
    // Without --no-tail journalctl 252 begins with the last ten lines only, also after a cursor.
    for await (const entry of this.journal(['--follow', '--no-tail', place, ...everything()], signal)) {
      for (const listener of this.listeners) listener.entry(entry);
    }
    throw new HostError('journal-unreadable', 'journalctl, which follows the servers, ended');
  }

  /** Of the newest entry of any server; null when there is none yet. */
  private async lastCursor(signal: AbortSignal): Promise<string | null> {
    let cursor: string | null = null;
    const newest = this.journal(['--lines=1', `_SYSTEMD_SLICE=${SERVER_SLICE}`], signal);
    for await (const entry of newest) cursor = entry.cursor;
    return cursor;
  }

  private stop(): void {
    this.following?.abort.abort();
    this.following = null;
  }
}
