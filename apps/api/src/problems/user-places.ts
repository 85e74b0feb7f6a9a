import { Interrupted, KeyedLock, Places } from '@left4me/host';
import { Unavailable } from './problems.js';

/** Less than the minute after which many a proxy gives up on an answer. */
const WAIT_MS = 50_000;
const RETRY_AFTER_SECONDS = 15;

/**
 * Work that takes much memory or time: of everybody together no more than `limit` at once in this process, of each user one, so that
 * nobody's requests take all places. The others wait, in order.
 */
export class UserPlaces {
  private readonly users: KeyedLock;
  private readonly places: Places;

  /** @param what the panel does at its most, to complete "The panel is already …": `unpacking 2 archives` */
  constructor(
    limit: number,
    private readonly what: string,
    private readonly waitMs = WAIT_MS,
  ) {
    this.users = new KeyedLock(what);
    this.places = new Places(limit, what);
  }

  /** @throws Unavailable when there was no place for long, or the signal aborted before */
  async hold<T>(userId: number, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    const waiting = new AbortController();
    const giveUp = (): void => waiting.abort();
    const timer = setTimeout(giveUp, this.waitMs);
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    let begun = false;
    const begin = (): Promise<T> => {
      begun = true;
      clearTimeout(timer);
      return work();
    };
    const inTurn = (): Promise<T> => this.places.hold(begin, waiting.signal);
    try {
      return await this.users.hold(String(userId), inTurn, waiting.signal);
    } catch (error) {
      if (begun || !(error instanceof Interrupted)) throw error;
      const message = `The panel is already ${this.what}: send this again in a moment.`;
      throw new Unavailable(message, { cause: error, retryAfter: RETRY_AFTER_SECONDS });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }
}
