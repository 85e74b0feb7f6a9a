import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until it is true.
 * @param what is waited for; a function tells how far it came
 * @throws after the time, with what was waited for; whatever `check` throws, at once
 */
export async function eventually(
  what: string | (() => string),
  check: () => Promise<boolean> | boolean,
  seconds = 20,
): Promise<void> {
  const limit = Date.now() + seconds * 1000;
  while (!(await check())) {
    if (Date.now() > limit) throw new Error(`not within ${seconds} s: ${typeof what === 'string' ? what : what()}`);
    await sleep(25);
  }
}
