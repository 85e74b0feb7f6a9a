import { expect, it } from 'vitest';
import { amount } from '../design/amounts';
import { timeLeft } from './words';

it.each([
  [{ files: 1, bytes: 512 }, '1 file, 512 B'],
  [{ files: 1200, bytes: 4_200_000 }, '1,200 files, 4.2 MB'],
  [{ files: 0, bytes: 0 }, '0 files, 0 B'],
  [{ files: null, bytes: null }, 'not counted'],
])('what an entry holds is said in words: %o', (entry, words) => {
  expect(amount(entry)).toBe(words);
});

const NOW = Date.parse('2026-01-02T12:00:00Z');
it.each([
  ['2026-02-01T12:00:00Z', '30 days'],
  ['2026-02-01T11:59:00Z', '30 days'],
  ['2026-01-31T23:59:00Z', '29 days'],
  ['2026-01-03T12:00:01Z', '1 day'],
  ['2026-01-03T11:59:59Z', 'less than a day'],
  ['2026-01-02T11:59:59Z', 'no longer'],
])('what is kept until %s is kept for %s', (until, words) => {
  expect(timeLeft(until, NOW)).toBe(words);
});
