import { Conflict } from '../problems/problems.js';

interface Running {
  stop: AbortController;
  ended: Promise<void>;
}

/**
 * Of requests for one thing, one at a time in this process, and the newest counts: a line that broke without a word leaves a request
 * that nobody sends any more.
 */
export class NewestRequests {
  private readonly running = new Map<number, Running>();

  has(id: number): boolean {
    return this.running.has(id);
  }

  /**
   * Stops whoever is at it and waits for their end. The signal aborts when a newer request comes.
   * @throws Conflict when a newer one has come
   */
  async take<T>(id: number, work: (newer: AbortSignal) => Promise<T>): Promise<T> {
    for (let older = this.running.get(id); older !== undefined; older = this.running.get(id)) {
      older.stop.abort();
      await older.ended;
    }
    const stop = new AbortController();
    let end = (): void => undefined;
    this.running.set(id, { stop, ended: new Promise((resolve) => (end = resolve)) });
    try {
      return await work(stop.signal);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      throw new Conflict('A newer request for the same upload has taken over.', { cause: error });
    } finally {
      this.running.delete(id);
      end();
    }
  }
}
