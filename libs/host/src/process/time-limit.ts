/**
 * Aborts after so many milliseconds; the process does not stay for it. Unlike `AbortSignal.timeout`, it does so too where only
 * `AbortSignal.any` knows of it: Node 20 collects such a signal as garbage, and what waits for it waits for ever.
 */
export function timeLimit(ms: number): AbortSignal {
  const controller = new AbortController();
  const late = (): void => controller.abort(new DOMException('The time is up', 'TimeoutError'));
  setTimeout(late, ms).unref();
  return controller.signal;
}
