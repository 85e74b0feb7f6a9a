import { expect, it } from 'vitest';
import { nextLookIn } from './newest-build-watch.js';

const HOUR = 3600_000;
const NOW = Date.parse('2026-01-02T12:00:00Z');
const seen = (hoursAgo: number) => ({ build: '100', seenAt: new Date(NOW - hoursAgo * HOUR).toISOString() });

it.each([
  ['never', null, 60_000],
  ['long ago', seen(50), 60_000],
  ['two hours ago', seen(2), 4 * HOUR],
  ['just now', seen(0), 6 * HOUR],
  ['by a clock that was wrong', seen(-500), 6 * HOUR],
])('after Steam was asked %s, it is asked again in time', (_, newest, expected) => {
  expect(nextLookIn(newest, NOW)).toBe(expected);
});
