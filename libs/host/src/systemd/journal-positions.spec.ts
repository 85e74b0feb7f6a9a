import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { JournalEntry } from './journal-entry.js';
import { isAtMost, JournalPositions } from './journal-positions.js';

const FIRST = '1'.repeat(32);
const SECOND = '2'.repeat(32);

function entry(journal: string, number: number): JournalEntry {
  return { server: 'one', cursor: '', journal, number, stream: 'stdout', line: '', at: '', event: false };
}

it('positions grow although another journal counts from 1 again, and are the same for the next process', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'left4me-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'cache', 'epochs.json');
  const positions = new JournalPositions(file);
  const before = await positions.of(entry(FIRST, 900));
  const after = await positions.of(entry(SECOND, 1));
  expect(isAtMost(before, after)).toBe(true);
  expect(isAtMost(after, before)).toBe(false);
  expect(isAtMost(after, after)).toBe(true);
  const next = new JournalPositions(file);
  expect(await next.of(entry(FIRST, 900))).toBe(before);
  expect(await next.cursorOf(before)).toBe(`s=${FIRST};i=${(900).toString(16)}`);
  expect(await next.cursorOf(after)).toBe(`s=${SECOND};i=1`);
});

it('a position of a journal that nobody knows has no cursor', async () => {
  const positions = new JournalPositions(join(tmpdir(), 'left4me-test-none', 'epochs.json'));
  expect(await positions.cursorOf('1795316531-4')).toBeNull();
  expect(await positions.cursorOf('nonsense')).toBeNull();
});
