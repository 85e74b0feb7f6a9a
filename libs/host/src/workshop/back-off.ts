import { pause } from '../process/pause.js';
import type { TryAgain } from './workshop-errors.js';

export interface BackOff {
  firstMs: number;
  mostMs: number;
}

/** Waits before the next try: twice as long each time, a random part of it, so that many do not return at once. */
export async function backOff(failed: TryAgain, attempt: number, limits: BackOff, signal: AbortSignal): Promise<void> {
  const whole = Math.min(limits.firstMs * 2 ** (attempt - 1), limits.mostMs);
  const jittered = whole * (0.5 + Math.random() / 2);
  await pause(Math.min(Math.max(jittered, failed.afterMs ?? 0), limits.mostMs), signal);
}

/** Whether the same request may be answered a moment later. */
export function isTemporaryStatus(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/** `Retry-After` in seconds; its other form, a date, is not used by Steam. */
export function retryAfterMs(headers: Headers): number | null {
  const value = headers.get('retry-after');
  return value !== null && /^\d{1,6}$/.test(value) ? Number(value) * 1000 : null;
}
