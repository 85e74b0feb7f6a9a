import { deferred, turn } from './turn.js';

/** One at a time per key, in this process. */
export class KeyedLock {
  private readonly last = new Map<string, Promise<void>>();

  /** @param what who waits does, for errors: `waiting for a download` */
  constructor(private readonly what: string) {}

  /** Throws `Interrupted` when the signal aborts before its turn has come. */
  async hold<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const before = this.last.get(key) ?? Promise.resolve();
    const { promise: own, resolve: done } = deferred();
    // Who gave up waiting lets nobody pass those before.
    const both = Promise.all([before, own]).then(() => {
      if (this.last.get(key) === both) this.last.delete(key);
    });
    this.last.set(key, both);
    try {
      await turn(before, this.what, signal);
      return await work();
    } finally {
      done();
    }
  }
}
