import { ApiProblem } from '../api/client';

/** Before the next attempts, in ms. */
export const PAUSES = [1_000, 2_000, 5_000, 10_000, 20_000, 30_000];

/**
 * Tries again while what fails passes by itself: no answer, one that came too late, a proxy's, too much to do.
 * @param also other statuses that pass
 */
export async function patiently<T>(
  attempt: () => Promise<T>,
  signal: AbortSignal,
  { pauses = PAUSES, also = [] }: { pauses?: readonly number[]; also?: readonly number[] } = {},
): Promise<T> {
  const passing = [0, 408, 429, 502, 503, 504, ...also];
  for (const pause of pauses) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof ApiProblem) || !passing.includes(error.status)) throw error;
      await sleep(pause, signal);
    }
  }
  return attempt();
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(new DOMException('stopped', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
}
