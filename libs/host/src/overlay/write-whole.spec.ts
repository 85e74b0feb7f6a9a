import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeWhole } from './write-whole.js';

it('writes on where one write took less than it was given', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'left4me-write-'));
  try {
    const file = await open(join(folder, 'file'), 'w');
    const sparing = {
      write: (bytes: Uint8Array, offset: number, length: number, position: number) =>
        file.write(bytes, offset, Math.min(length, 3), position),
    };
    await file.write('ab');
    await writeWhole(sparing, Buffer.from('cdefghij'), 2);
    await file.close();
    expect(await readFile(join(folder, 'file'), 'utf8')).toBe('abcdefghij');
  } finally {
    await rm(folder, { recursive: true });
  }
});
