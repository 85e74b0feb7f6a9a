import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { differences } from './differences.js';

it('stops in the middle of a large file when nobody waits any more', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'left4me-differences-'));
  try {
    const trees = ['before', 'after'].map((name) => join(folder, name));
    for (const tree of trees) {
      await mkdir(tree);
      await writeFile(join(tree, 'campaign.vpk'), '');
      await truncate(join(tree, 'campaign.vpk'), 4 * 1024 ** 3); // a hole: takes no space, but seconds to read
    }
    const [before = '', draft = ''] = trees;
    const signal = AbortSignal.timeout(100);
    const compared = differences({ before, after: { draft }, limit: 10, timeLimitMs: 5_000, signal });
    await expect(compared).rejects.toThrow('comparing was interrupted');
  } finally {
    await rm(folder, { recursive: true });
  }
});
