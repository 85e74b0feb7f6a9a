import { Interrupted } from '../errors.js';
import type { LogRequest, ServerLogLine } from '../host.js';
import { Places } from '../process/places.js';
import { EntryQueue } from './entry-queue.js';
import { ofServer, type JournalEntry } from './journal-entry.js';
import type { JournalFollower } from './journal-follower.js';
import { isAtMost, type JournalPositions } from './journal-positions.js';
import type { Journalctl } from './journalctl.js';
import type { LogBegins } from './log-begins.js';

const DEFAULT_LINES = 500;
/** A worker that starts reads the history of all its servers: each is a program with megabytes of its own. */
const HISTORIES_AT_ONCE = 3;

/** The servers' logs, from the journal: what it holds of this instance, then what the one follower hears, each line once and in order. */
export class JournalLogs {
  private readonly places = new Places(HISTORIES_AT_ONCE, "waiting to read a server's log");

  constructor(
    private readonly follower: JournalFollower,
    private readonly positions: JournalPositions,
    private readonly begins: LogBegins,
    private readonly journal: Journalctl,
  ) {}

  async *read(name: string, request: LogRequest): AsyncGenerator<ServerLogLine> {
    const { signal } = request;
    const { after } = request;
    // A position that only another machine, or another service manager, can have given says nothing about this journal.
    let last = after === undefined || (await this.positions.isAhead(after)) ? null : after;
    let from = request;
    for (;;) {
      // Heard before the journal is read: what comes in between is in both, and told apart by its position.
      const live = request.follow ? await EntryQueue.open(this.follower, name, signal) : null;
      try {
        const begin = last;
        for await (const entry of this.history(name, from)) {
          const line = await this.line(entry);
          // Where the place of `after` is not known any more, journalctl begins before it.
          if (begin !== null && isAtMost(line.position, begin)) continue;
          last = line.position;
          yield line;
          if (signal?.aborted) return;
        }
        if (live === null || signal?.aborted) return;
        for await (const entry of live) {
          const line = await this.line(entry);
          if (last !== null && isAtMost(line.position, last)) continue;
          last = line.position;
          yield line;
          if (signal?.aborted) return;
        }
      } finally {
        live?.close();
      }
      if (signal?.aborted) return;
      // The reader was too slow for its queue, which was let go: the journal has everything.
      from = last === null ? request : { ...request, after: last };
    }
  }

  private async *history(name: string, request: LogRequest): AsyncGenerator<JournalEntry> {
    const { signal } = request;
    const isOwn = await this.begins.of(name);
    if (isOwn === null) return;
    const release = await this.places.take(signal).catch(ignoreInterrupted);
    try {
      if (signal?.aborted) return;
      for await (const entry of this.journal(await this.historyOf(name, request), signal)) {
        if (isOwn(entry)) yield entry;
      }
    } finally {
      release?.();
    }
  }

  private async historyOf(name: string, { after, lines }: LogRequest): Promise<string[]> {
    const matches = ofServer(name);
    if (after === undefined) return [`--lines=${lines ?? DEFAULT_LINES}`, ...matches];
    const cursor = await this.positions.cursorOf(after);
    return cursor === null ? matches : [`--after-cursor=${cursor}`, ...matches];
  }

  private async line(entry: JournalEntry): Promise<ServerLogLine> {
    return { position: await this.positions.of(entry), stream: entry.stream, line: entry.line, at: entry.at };
  }
}

function ignoreInterrupted(error: unknown): void {
  if (!(error instanceof Interrupted)) throw error;
}
