import { mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { makeRoot } from '../../test/support/fixture.js';
import { ReplacedFiles } from './replaced-files.js';

/** Resolves when what is made now is younger than this: the clock of a filesystem goes in steps of some milliseconds. */
async function later(folder: string): Promise<void> {
  const probe = join(folder, '..', '..', 'probe');
  const { birthtimeMs } = await stat(folder);
  for (;;) {
    await writeFile(probe, '');
    const now = (await stat(probe)).birthtimeMs;
    await rm(probe);
    if (Math.floor(now) > Math.floor(birthtimeMs)) return;
    await sleep(1);
  }
}

it('what was replaced is listed page by page, the latest first, though older ones go meanwhile', async () => {
  const root = await makeRoot();
  const replaced = join(root, 'instances/one/replaced');
  for (const job of ['9', '10', '11']) {
    await mkdir(join(replaced, job, 'cfg'), { recursive: true });
    for (const path of ['motd.txt', 'cfg/a.cfg', 'cfg/b.cfg']) await writeFile(join(replaced, job, path), job);
    await symlink('motd.txt', join(replaced, job, 'link'));
    await later(join(replaced, job));
  }
  const files = new ReplacedFiles(root);
  const whole = await files.list('one', { limit: 100 });
  expect(whole.nextCursor).toBeNull();
  const of = (job: string) => whole.items.filter((item) => item.job === job);
  expect(whole.items).toEqual([...of('11'), ...of('10'), ...of('9')]);
  expect(
    of('9')
      .map(({ path }) => path)
      .sort(),
  ).toEqual(['cfg/a.cfg', 'cfg/b.cfg', 'link', 'motd.txt']);
  expect(of('9').find(({ path }) => path === 'link')).toMatchObject({ target: 'motd.txt' });

  for (const limit of [1, 3, 4, 12]) {
    const paged = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = await files.list('one', { limit, cursor });
      expect(page.items.length).toBeGreaterThan(0);
      paged.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(whole.items);
  }

  const { nextCursor } = await files.list('one', { limit: 6 });
  await rm(join(replaced, '10'), { recursive: true });
  expect((await files.list('one', { limit: 100, cursor: nextCursor ?? '' })).items).toEqual(of('9'));
  await expect(files.list('one', { limit: 1, cursor: '9/motd.txt' })).rejects.toMatchObject({ code: 'bad-cursor' });
  expect(await files.list('two', { limit: 1 })).toEqual({ items: [], nextCursor: null });
});

it('what is forgotten while it is listed is left out', async () => {
  const root = await makeRoot();
  const replaced = join(root, 'instances/one/replaced');
  const jobs = Array.from({ length: 200 }, (_, i) => `${i}`);
  for (const job of ['stays', ...jobs]) {
    await mkdir(join(replaced, job), { recursive: true });
    await writeFile(join(replaced, job, 'a.cfg'), job);
  }
  const listing = new ReplacedFiles(root).list('one', { limit: 1000 });
  const [listed] = await Promise.all([listing, ...jobs.map((job) => rm(join(replaced, job), { recursive: true }))]);
  expect(listed.items).toContainEqual(expect.objectContaining({ job: 'stays', path: 'a.cfg' }));
});
