import { expect, it } from 'vitest';
import { amount } from './words';

it.each([
  [{ files: 1, bytes: 512 }, '1 file, 512 B'],
  [{ files: 1200, bytes: 4_200_000 }, '1,200 files, 4.2 MB'],
  [{ files: 0, bytes: 0 }, '0 files, 0 B'],
  [{ files: null, bytes: null }, 'not counted'],
])('what an entry holds is said in words: %o', (entry, words) => {
  expect(amount(entry)).toBe(words);
});
