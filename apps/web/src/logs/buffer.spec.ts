import { describe, expect, it } from 'vitest';
import { LogBuffer } from './buffer';
import type { LogLine } from './line';
import { LogSearch } from './search';

const line = (position: string | number, text = `line ${position}`): LogLine => ({
  position: String(position),
  stream: 'stdout',
  text,
  at: '2026-11-21T20:00:00Z',
});
const lines = (from: number, to: number): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, index) => line(from + index));

describe('the log buffer', () => {
  it('takes each position once, also when a reconnect replays', () => {
    const buffer = new LogBuffer();
    expect(buffer.append(lines(1, 5))).toBe(5);
    expect(buffer.append(lines(3, 8))).toBe(3);
    expect(buffer.size).toBe(8);
    expect(buffer.last).toBe('8');
    expect(buffer.at(7)?.text).toBe('line 8');
  });

  it('orders server positions by their parts, not as text', () => {
    const buffer = new LogBuffer();
    expect(buffer.append([line('1-9'), line('1-10'), line('2-1'), line('1-11'), line('10-1')])).toBe(4);
    expect(buffer.last).toBe('10-1');
  });

  it('keeps only the newest lines, whose ids stay', () => {
    const buffer = new LogBuffer(100);
    for (let at = 0; at < 10; at += 1) buffer.append(lines(at * 50 + 1, at * 50 + 50));
    expect(buffer.total).toBe(500);
    expect(buffer.size).toBeLessThanOrEqual(105);
    expect(buffer.size).toBeGreaterThanOrEqual(100);
    expect(buffer.byId(499)?.text).toBe('line 500');
    expect(buffer.byId(0)).toBeUndefined();
    expect(buffer.at(0)?.id).toBe(buffer.firstId);
  });

  it('keeps within its characters, whatever the length of lines', () => {
    const buffer = new LogBuffer(1000, 10_000);
    for (let at = 1; at <= 50; at += 1) buffer.append([line(at, 'x'.repeat(1000))]);
    expect(buffer.size).toBeLessThanOrEqual(10);
    expect(buffer.last).toBe('50');
  });

  it('notes a gap in its place without losing the position', () => {
    const buffer = new LogBuffer();
    buffer.append(lines(1, 2));
    buffer.note('Lines are missing here.', '2026-11-21T20:00:00Z');
    buffer.append(lines(9, 9));
    expect([0, 1, 2, 3].map((index) => buffer.at(index)?.text)).toEqual([
      'line 1',
      'line 2',
      'Lines are missing here.',
      'line 9',
    ]);
    expect(buffer.last).toBe('9');
  });

  it('takes older lines before the first one, once', () => {
    const buffer = new LogBuffer();
    buffer.append(lines(10, 12));
    expect(buffer.prepend(lines(5, 11))).toBe(5);
    expect(buffer.prepend(lines(5, 11))).toBe(0);
    expect(buffer.firstId).toBe(-5);
    expect(buffer.byId(-5)?.text).toBe('line 5');
    expect(buffer.byId(0)?.text).toBe('line 10');
    expect(buffer.append(lines(12, 13))).toBe(1);
    expect(Array.from({ length: buffer.size }, (_, index) => buffer.at(index)?.text)).toEqual(
      lines(5, 13).map((item) => item.text),
    );
  });

  it('gives text for copying without escapes', () => {
    const buffer = new LogBuffer();
    buffer.append([line(1, '\u001b[31mred\u001b[0m'), line(2, 'two'), line(3, 'three')]);
    expect(buffer.textOf(0, 1)).toBe('red\ntwo');
  });
});

describe('the search', () => {
  it('finds in what is there and in what arrives, and forgets what was dropped', () => {
    const buffer = new LogBuffer(100);
    const search = new LogSearch('LINE 1');
    buffer.append(lines(1, 20));
    search.update(buffer);
    expect(search.ids.map((id) => id + 1)).toEqual([1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    buffer.append(lines(21, 300));
    search.update(buffer);
    expect(search.ids.every((id) => id >= buffer.firstId)).toBe(true);
  });

  it('steps through matches and around the ends', () => {
    const buffer = new LogBuffer();
    buffer.append([line(1, 'hit'), line(2, 'miss'), line(3, 'Hit'), line(4, '\u001b[32mh\u001b[0mit')]);
    const search = new LogSearch('hit');
    search.update(buffer);
    expect(search.ids).toEqual([0, 2, 3]);
    expect(search.step(null, -1)).toBe(3);
    expect(search.step(3, 1)).toBe(0);
    expect(search.step(0, -1)).toBe(3);
    expect(search.step(2, -1)).toBe(0);
    expect(search.place(2)).toBe(2);
  });
});
