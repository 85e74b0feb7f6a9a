import { deferred, turn } from './turn.js';

/** No more than `limit` do something at the same time; the others wait for their turn, in order. */
export class Places {
  private readonly waiting: (() => void)[] = [];
  private taken = 0;

  /** @param what who waits does, for errors: `waiting for a download` */
  constructor(
    private readonly limit: number,
    private readonly what: string,
  ) {}

  /** Throws `Interrupted` when the signal aborts before there was a place. */
  async hold<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const release = await this.take(signal);
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Resolves with what gives the place back; calling that again does nothing. Throws as `hold` does. */
  async take(signal?: AbortSignal): Promise<() => void> {
    if (this.taken < this.limit) this.taken++;
    else await this.wait(signal);
    let held = true;
    return () => {
      if (held) this.release();
      held = false;
    };
  }

  private async wait(signal?: AbortSignal): Promise<void> {
    const { promise, resolve } = deferred();
    this.waiting.push(resolve);
    try {
      await turn(promise, this.what, signal);
    } catch (error) {
      const at = this.waiting.indexOf(resolve);
      if (at >= 0) this.waiting.splice(at, 1);
      else this.release(); // it was given its place at the same moment
      throw error;
    }
  }

  private release(): void {
    const next = this.waiting.shift();
    if (next) next();
    else this.taken--;
  }
}
