import { Interrupted, timeLimit } from '@left4me/host';
import { Unavailable } from '../problems/problems.js';

interface Look<T> {
  found: Promise<T>;
  waiting: number;
  nobodyWaits: AbortController;
}

/**
 * Looks at files that take long and that several requests ask for at the same time: one is enough for all of them. It ends when the last
 * of them has gone.
 */
export class SharedLooks<T> {
  private readonly running = new Map<string, Look<T>>();

  /** @param limitMs no look takes longer */
  constructor(
    private readonly what: string,
    private readonly limitMs: number,
  ) {}

  /**
   * @param key the same for the same answer
   * @param gone aborts when the caller does not wait any more
   * @throws Unavailable after the limit; Interrupted when nobody waited
   */
  async at(key: string, gone: AbortSignal, look: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (gone.aborted) throw new Interrupted(this.what);
    const joined = this.running.get(key) ?? this.begin(key, look);
    const leave = (): void => {
      joined.waiting--;
      if (joined.waiting > 0) return;
      this.forget(key, joined);
      joined.nobodyWaits.abort();
    };
    joined.waiting++;
    gone.addEventListener('abort', leave, { once: true });
    try {
      return await joined.found;
    } finally {
      gone.removeEventListener('abort', leave);
    }
  }

  private begin(key: string, look: (signal: AbortSignal) => Promise<T>): Look<T> {
    const nobodyWaits = new AbortController();
    const begun: Look<T> = { found: this.limited(look, nobodyWaits.signal), waiting: 0, nobodyWaits };
    this.running.set(key, begun);
    const forget = (): void => this.forget(key, begun);
    begun.found.then(forget, forget);
    return begun;
  }

  private async limited(look: (signal: AbortSignal) => Promise<T>, nobodyWaits: AbortSignal): Promise<T> {
    const limit = timeLimit(this.limitMs);
    try {
      return await look(AbortSignal.any([nobodyWaits, limit]));
    } catch (error) {
      if (!limit.aborted || !(error instanceof Interrupted)) throw error;
      throw new Unavailable(`${this.what} took longer than ${this.limitMs / 1000} s and was stopped.`, {
        cause: error,
      });
    }
  }

  /** A look that is about to end is nobody's to join. */
  private forget(key: string, look: Look<T>): void {
    if (this.running.get(key) === look) this.running.delete(key);
  }
}
