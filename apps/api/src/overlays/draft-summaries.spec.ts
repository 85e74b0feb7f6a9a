import 'reflect-metadata';
import { Interrupted } from '@left4me/host';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DraftSummaries } from './draft-summaries.js';

const SMALL = { files: 1, bytes: 1 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('counts the drafts behind large ones, and does not walk those again at once', async () => {
  const walked: string[] = [];
  const endless = (signal: AbortSignal) =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Interrupted('counting'))));
  const summary = (tree: string, signal: AbortSignal) => {
    walked.push(tree);
    return Number(tree) > 5 ? endless(signal) : Promise.resolve(SMALL);
  };
  const trees = { here: true, draft: (id: number) => ({ tree: String(id), files: { summary } }) };
  const summaries = new DraftSummaries(trees as never);
  const ask = async (ids: number[]) => {
    const answer = summaries.of(ids.map((id) => ({ id, draftChangedAt: new Date(0) })) as never);
    await vi.advanceTimersByTimeAsync(5_000);
    return Object.fromEntries(await answer);
  };
  expect(await ask([8, 7, 6, 1, 2])).toEqual({ 1: SMALL, 2: SMALL, 6: null, 7: null, 8: null });
  expect(await ask([9, 8, 7, 6, 3])).toEqual({ 3: SMALL, 6: null, 7: null, 8: null, 9: null });
  expect(walked).toEqual(['8', '7', '6', '1', '2', '9', '3']);
  await vi.advanceTimersByTimeAsync(60_000);
  await ask([8]);
  expect(walked.at(-1)).toBe('8');
});
