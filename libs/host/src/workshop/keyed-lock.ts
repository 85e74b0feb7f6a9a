import { Interrupted } from '../errors.js';

/** One at a time per key, in this process. */
export class KeyedLock {
  private readonly last = new Map<string, Promise<void>>();

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
      await turn(before, signal);
      return await work();
    } finally {
      done();
    }
  }
}

/** No more than `limit` at a time, in order. */
export class Places {
  private readonly waiting: (() => void)[] = [];
  private taken = 0;

  constructor(private readonly limit: number) {}

  /** Throws `Interrupted` when the signal aborts before there was a place. */
  async hold<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.take(signal);
    try {
      return await work();
    } finally {
      this.release();
    }
  }

  private release(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.taken--;
  }

  private async take(signal?: AbortSignal): Promise<void> {
    if (this.taken < this.limit) {
      this.taken++;
      return;
    }
    const { promise, resolve } = deferred();
    this.waiting.push(resolve);
    try {
      await turn(promise, signal);
    } catch (error) {
      const at = this.waiting.indexOf(resolve);
      if (at >= 0) this.waiting.splice(at, 1);
      else this.release(); // it was given its place at the same moment
      throw error;
    }
  }
}

async function turn(before: Promise<void>, signal?: AbortSignal): Promise<void> {
  const { promise: aborted, resolve: abort } = deferred();
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  try {
    await Promise.race([before, aborted]);
    if (signal?.aborted) throw new Interrupted('waiting for a download');
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
