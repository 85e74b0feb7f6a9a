import type { JournalEntry } from './journal-entry.js';
import type { JournalFollower } from './journal-follower.js';

/** A reader this far behind is sent back to the journal instead of filling the memory. */
const MOST = 20_000;

/** What the follower hears about one server, for a reader at its own pace. Ends with the signal, or when it overflowed. */
export class EntryQueue implements AsyncIterable<JournalEntry> {
  private waiting: JournalEntry[] = [];
  private failure: Error | null = null;
  private ended = false;
  private wake = (): void => undefined;
  private stopListening = (): void => undefined;

  private constructor(private readonly signal: AbortSignal | undefined) {}

  static async open(follower: JournalFollower, name: string, signal: AbortSignal | undefined): Promise<EntryQueue> {
    const queue = new EntryQueue(signal);
    const stop = await follower.listen({
      entry: (entry) => {
        if (entry.server === name) queue.add(entry);
      },
      ended: (error) => {
        queue.failure = error;
        queue.end();
      },
    });
    queue.stopListening = stop;
    signal?.addEventListener('abort', queue.end, { once: true });
    if (signal?.aborted) queue.end();
    return queue;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<JournalEntry> {
    for (;;) {
      const batch = this.waiting;
      this.waiting = [];
      yield* batch;
      if (this.waiting.length > 0) continue;
      if (this.failure !== null) throw this.failure;
      if (this.ended) return;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  close(): void {
    this.signal?.removeEventListener('abort', this.end);
    this.stopListening();
  }

  private add(entry: JournalEntry): void {
    if (this.ended) return;
    if (this.waiting.length >= MOST) return this.end();
    this.waiting.push(entry);
    this.wake();
  }

  private readonly end = (): void => {
    this.ended = true;
    this.wake();
  };
}
