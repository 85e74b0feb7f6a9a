import { Interrupted } from '../errors.js';

/** Waits for a promise that never fails. Throws `Interrupted`, saying what was waited for, when the signal aborts before. */
export async function turn(before: Promise<void>, what: string, signal?: AbortSignal): Promise<void> {
  const { promise: aborted, resolve: abort } = deferred();
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  try {
    await Promise.race([before, aborted]);
    if (signal?.aborted) throw new Interrupted(what);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}
