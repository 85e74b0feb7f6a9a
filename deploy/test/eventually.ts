import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until it is true. What `check` throws counts as not yet.
 * @throws after the time, with what was waited for and why it was not so
 */
export async function eventually(
  what: string | (() => string),
  check: () => Promise<boolean> | boolean,
  seconds = 30,
): Promise<void> {
  const limit = Date.now() + seconds * 1000;
  let problem: unknown = null;
  for (;;) {
    try {
      if (await check()) return;
      problem = null;
    } catch (error) {
      problem = error;
    }
    if (Date.now() > limit) {
      throw new Error(`not within ${seconds} s: ${typeof what === 'string' ? what : what()}`, { cause: problem });
    }
    await sleep(50);
  }
}
