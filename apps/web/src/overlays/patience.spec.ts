import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiProblem } from '../api/client';
import { patiently } from './patience';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const away = () => Promise.reject(new ApiProblem({ status: 503, title: 'away' }));

it('leaves nothing on the signal after its pauses, which may be that of many attempts', async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  const failed = patiently(away, signal, { pauses: [10, 10] }).catch(String);
  await vi.runAllTimersAsync();
  expect(await failed).toContain('away');
  expect(added).toHaveBeenCalledTimes(2);
  expect(removed.mock.calls.map(([, listener]) => listener)).toEqual(added.mock.calls.map(([, listener]) => listener));
});

it.each(['before', 'during'])('is ended by a signal that aborts %s its pause', async (when) => {
  const stop = new AbortController();
  if (when === 'before') stop.abort();
  const failed = patiently(away, stop.signal, { pauses: [10_000] }).catch(String);
  await vi.advanceTimersByTimeAsync(1);
  stop.abort();
  expect(await failed).toContain('stopped');
});
