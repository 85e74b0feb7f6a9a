import { TooManyAttempts } from '../problems/problems.js';

const RETRY_AFTER_SECONDS = 15;

/** How many files each user follows at this moment: the worker looks at each twice a second. */
export class FollowedFiles {
  private readonly counts = new Map<number, number>();

  constructor(private readonly limit = 20) {}

  /**
   * One more, until the signal aborts.
   * @throws TooManyAttempts
   */
  add(userId: number, signal: AbortSignal): void {
    if (signal.aborted) return;
    const count = this.counts.get(userId) ?? 0;
    if (count >= this.limit) {
      const message = `You follow ${this.limit} files of servers already: leave one of them first.`;
      throw new TooManyAttempts(message, RETRY_AFTER_SECONDS);
    }
    this.counts.set(userId, count + 1);
    signal.addEventListener('abort', () => this.remove(userId), { once: true });
  }

  private remove(userId: number): void {
    const left = (this.counts.get(userId) ?? 0) - 1;
    if (left > 0) this.counts.set(userId, left);
    else this.counts.delete(userId);
  }
}
