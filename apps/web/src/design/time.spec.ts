import { describe, expect, it } from 'vitest';
import { bytes, plural } from './amounts';
import { duration, relativeTime } from './time';

describe('times and amounts for people', () => {
  const now = Date.parse('2026-11-21T20:00:00Z');
  const before = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

  it.each([
    [3, 'just now'],
    [-20, 'just now'],
    [110, '2 minutes ago'],
    [3_600, '1 hour ago'],
    [86_400, 'yesterday'],
    [20 * 86_400, '3 weeks ago'],
    [-7 * 86_400, 'next week'],
    [800 * 86_400, '2 years ago'],
  ])('%d seconds before', (seconds, text) => expect(relativeTime(before(seconds), now)).toBe(text));

  it.each([
    [0, '1 ms'],
    [8, '8 ms'],
    [99.6, '100 ms'],
    [412, '0.4 s'],
    [13_000, '13 s'],
    [185_000, '3 min 5 s'],
    [7_800_000, '2 h 10 min'],
  ])('%d ms', (milliseconds, text) => expect(duration(milliseconds)).toBe(text));

  it('counts', () => {
    expect([0, 999, 1_500, 48_223_000, 10_400_000_000].map(bytes)).toEqual([
      '0 B',
      '999 B',
      '1.5 KB',
      '48.2 MB',
      '10.4 GB',
    ]);
    expect([plural(1, 'file'), plural(1_200, 'file')]).toEqual(['1 file', '1,200 files']);
  });
});
