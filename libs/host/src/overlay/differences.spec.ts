import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differences } from './differences.js';
import { timeLimit } from '../process/time-limit.js';

describe('comparing large files', () => {
  let folder: string;
  let before: string;
  let after: { draft: string };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'left4me-differences-'));
    before = join(folder, 'before');
    after = { draft: join(folder, 'after') };
    for (const tree of [before, after.draft]) {
      await mkdir(tree);
      await writeFile(join(tree, 'a.txt'), tree);
      await writeFile(join(tree, 'campaign.vpk'), '');
      await truncate(join(tree, 'campaign.vpk'), 40 * 1024 ** 3); // a hole: takes no space, but a minute to read
    }
  });
  afterAll(() => rm(folder, { recursive: true }));
  const never = new AbortController().signal;
  const limits = { limit: 10, timeLimitMs: 50, longestMs: 60_000, signal: never };

  it('stops in the middle when nobody waits any more', async () => {
    const compared = differences({ before, after, ...limits, timeLimitMs: 5_000, signal: timeLimit(100) });
    await expect(compared).rejects.toThrow('comparing was interrupted');
  });

  it('leaves it to the next page when its time is over, which compares it whatever the time of a page', async () => {
    const page = await differences({ before, after, ...limits });
    expect(page).toMatchObject({ items: [{ path: 'a.txt', change: 'changed' }], next: 'a.txt' });
    const next = differences({ before, after, ...limits, behind: 'a.txt', longestMs: 300 });
    await expect(next).rejects.toMatchObject({ code: 'timed-out' });
  });
});
