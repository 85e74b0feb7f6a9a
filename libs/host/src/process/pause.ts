import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until `condition` holds, asking every `everyMs`. Returns whether it held before `limitMs` was over. */
export async function waitUntil(
  condition: () => Promise<boolean>,
  limitMs: number,
  everyMs = 25,
  signal?: AbortSignal,
): Promise<boolean> {
  const end = performance.now() + limitMs;
  for (;;) {
    if (await condition()) return true;
    if (performance.now() >= end || signal?.aborted) return false;
    await sleep(everyMs);
  }
}

/** Like `setTimeout`, ended early and quietly by the signal. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
