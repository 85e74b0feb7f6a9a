import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RunFileWatch } from './run-file-watch.js';
import { timeLimit } from '../process/time-limit.js';

/** Longer than a test may take. */
const FOR_EVER_MS = 10 * 60_000;
const never = new AbortController().signal;
let root: string;
let runFiles: RunFileWatch;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'left4me-run-files-'));
  await mkdir(join(root, 'instances/one'), { recursive: true });
  runFiles = new RunFileWatch(root);
});
afterEach(async () => {
  runFiles.close();
  await rm(root, { recursive: true });
});

/** As supervisors write it. */
async function writeRunFile(): Promise<void> {
  const file = join(root, 'instances/one/run.json');
  await writeFile(`${file}.new`, '{}');
  await rename(`${file}.new`, file);
}

it('wakes when a supervisor writes', async () => {
  const waiting = runFiles.wait(['one'], FOR_EVER_MS, never);
  await writeRunFile();
  await waiting;
  expect(await Promise.race([runFiles.wait(['one'], FOR_EVER_MS, never), later('still waits')])).toBe('still waits');
});

it('remembers what was written while nobody waited', async () => {
  await runFiles.wait(['one'], 1, never);
  await writeRunFile();
  expect(await runFiles.wait(['one'], FOR_EVER_MS, never)).toBeUndefined();
});

it('waits by the clock where there is nothing to watch, and until the signal aborts', async () => {
  expect(await runFiles.wait(['gone'], 1, never)).toBeUndefined();
  expect(await runFiles.wait(['one'], FOR_EVER_MS, timeLimit(10))).toBeUndefined();
});

function later<T>(value: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(value), 200));
}
