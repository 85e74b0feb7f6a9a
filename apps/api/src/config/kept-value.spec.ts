import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { keptIn } from './kept-value.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'left4me-kept-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('is made once, by whichever of many comes first', async () => {
  const file = path.join(folder, 'value');
  let made = 0;
  const values = await Promise.all(Array.from({ length: 20 }, () => keptIn(file, () => `value-${++made}`)));
  expect(new Set(values).size).toBe(1);
  expect(await keptIn(file, () => 'another')).toBe(values[0]);
  expect(await readFile(file, 'utf8')).toBe(`${values[0]}\n`);
  expect(await readdir(folder)).toEqual(['value']);
});

it('is never an empty one', async () => {
  const file = path.join(folder, 'empty');
  await writeFile(file, '');
  await expect(keptIn(file, () => 'new')).rejects.toThrow('is empty');
});
