import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DifferenceView, RevisionItem } from '../src/overlays/revision.dto.js';
import { RealPanel } from './real-panel.js';

let panel: RealPanel;
beforeAll(async () => {
  panel = await RealPanel.make({ LEFT4ME_KEPT_REVISIONS: '2' });
});
afterAll(() => panel.close());

const CFG = 'left4dead2/cfg/pack.cfg';
const revisionsOf = async (overlay: number): Promise<RevisionItem[]> =>
  (await panel.admin.get(`/api/v1/overlays/${overlay}/revisions`).expect(200)).body.items;
const onDisk = async (overlay: number): Promise<string[]> =>
  (await readdir(join(panel.root, 'overlays', String(overlay)))).toSorted();
const goTo = (overlay: number, number: number) =>
  panel.admin.put(`/api/v1/overlays/${overlay}/current-revision`).send({ number });
const diff = async (overlay: number, from: number, query: string) =>
  (await panel.admin.get(`/api/v1/overlays/${overlay}/revisions/${from}/diff?${query}`).expect(200)).body;

/** Publishes the next revision of an overlay, in which its one file says so. */
async function publishNext(overlay: number, content: string): Promise<string[]> {
  await panel.edit(overlay, { [CFG]: content });
  const job = await panel.build(overlay);
  expect(job).toMatchObject({ state: 'succeeded' });
  return (await panel.jobLog(job.id)).map(({ line }) => line);
}

describe('the revisions of an overlay', () => {
  it('are listed with when, who, job, size, files, hash and the servers that have them', async () => {
    const overlay = await panel.overlay('listed', { [CFG]: 'one', 'a b/ü.txt': 'x' });
    await panel.server('listing', await panel.blueprint('listed', [overlay]));
    expect(await panel.do('listing', 'initialize')).toMatchObject({ state: 'succeeded' });
    await publishNext(overlay, 'the second');
    const [second, first] = await revisionsOf(overlay);
    const about = { id: expect.any(Number), jobId: expect.any(Number), userName: 'admin', files: 2 };
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(first).toEqual({
      ...about,
      number: 1,
      bytes: 4,
      contentHash: hash,
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      current: false,
      returnedAt: null,
      servers: ['listing'],
    });
    expect(second).toMatchObject({ ...about, number: 2, bytes: 11, current: true, servers: [] });
    expect(second?.contentHash).not.toBe(first?.contentHash);
    expect((await panel.get('listing')).pendingChanges).toEqual(['overlay listed: revision 1 → 2']);
  });

  it('can be gone back to: the next start takes the earlier one, and says so before', async () => {
    const overlay = await panel.overlay('returning', { [CFG]: 'one' });
    await panel.server('back', await panel.blueprint('returning', [overlay]));
    await publishNext(overlay, 'two');
    await panel.do('back', 'initialize');
    const { body } = await goTo(overlay, 1).expect(200);
    expect(body).toMatchObject({ currentRevision: { number: 1 }, draft: { changed: true } });
    expect((await revisionsOf(overlay)).map(({ number, current }) => [number, current])).toEqual([
      [2, false],
      [1, true],
    ]);
    expect((await panel.get('back')).pendingChanges).toEqual(['overlay returning: revision 2 → 1']);
    await panel.do('back', 'initialize');
    expect((await panel.get('back')).pendingChanges).toEqual([]);
    // Forth again: the draft is what is current.
    expect((await goTo(overlay, 2).expect(200)).body.draft).toMatchObject({ changed: false });
    expect((await panel.build(overlay)).state).toBe('succeeded');
    expect((await revisionsOf(overlay)).map(({ number }) => number)).toEqual([2, 1]);
  });

  it('are compared: added, removed and changed files, page by page, also with the draft', async () => {
    const overlay = await panel.overlay('compared', {
      'same.txt': 'same',
      'gone.txt': 'gone',
      'a/b.txt': 'one',
      'a.txt': 'x',
    });
    const draft = join(panel.root, 'drafts', String(overlay));
    await panel.admin.delete(`/api/v1/overlays/${overlay}/files/content?path=gone.txt`).expect(204);
    await panel.edit(overlay, { 'a/b.txt': 'two', 'new/ü.txt': 'new' });
    await panel.build(overlay);
    const expected: DifferenceView[] = [
      { path: 'a/b.txt', change: 'changed', sizeBefore: 3, sizeAfter: 3 },
      { path: 'gone.txt', change: 'removed', sizeBefore: 4, sizeAfter: null },
      { path: 'new/ü.txt', change: 'added', sizeBefore: null, sizeAfter: 3 },
    ];
    expect(await diff(overlay, 1, 'to=2')).toEqual({ items: expected, nextCursor: null });
    expect(await diff(overlay, 1, 'to=draft')).toEqual({ items: expected, nextCursor: null });
    // Published by an earlier version of the panel.
    await rm(join(panel.root, 'overlays', String(overlay), '1.manifest'));
    expect(await diff(overlay, 1, 'to=2')).toEqual({ items: expected, nextCursor: null });
    expect((await diff(overlay, 2, 'to=1')).items.map(({ change }: DifferenceView) => change)).toEqual([
      'changed',
      'added',
      'removed',
    ]);
    expect(await diff(overlay, 2, 'to=2')).toEqual({ items: [], nextCursor: null });
    const paged: DifferenceView[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page = await diff(overlay, 1, `to=2&limit=1${more}`);
      expect(page.items.length).toBeLessThanOrEqual(1);
      paged.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(expected);
    await writeFile(join(draft, 'same.txt'), 'SAME');
    expect((await diff(overlay, 2, '')).items).toEqual([
      { path: 'same.txt', change: 'changed', sizeBefore: 4, sizeAfter: 4 },
    ]);
    await panel.admin.get(`/api/v1/overlays/${overlay}/revisions/1/diff?to=9`).expect(404);
    await panel.admin.get(`/api/v1/overlays/${overlay}/revisions/9/diff`).expect(404);
    for (const query of ['to=x', 'limit=0', 'limit=5000']) {
      await panel.admin.get(`/api/v1/overlays/${overlay}/revisions/1/diff?${query}`).expect(400);
    }
  });
});

describe('old revisions', () => {
  it('go with a later build, unless they are current, among the newest, pinned, or named by a specification on the disk', async () => {
    const overlay = await panel.overlay('collected', { [CFG]: 'one' });
    await panel.server('pinning', await panel.blueprint('collected', [overlay]));
    await panel.do('pinning', 'initialize');
    const log = [await publishNext(overlay, 'two'), await publishNext(overlay, 'three')].flat();
    // As l4d2ctl would leave it: no row of the panel's pins anything.
    const byHand = join(panel.root, 'instances/by-hand/generations/1');
    await mkdir(byHand, { recursive: true });
    const spec = { port: 27_999, overlays: [`${overlay}/2`], arguments: [], files: [], hide: [] };
    await writeFile(join(byHand, 'spec.yaml'), JSON.stringify(spec));
    // What a collection left that was killed after it had deleted the row.
    await mkdir(join(panel.root, 'overlays', String(overlay), '3000'));
    for (const content of ['four', 'five', 'six']) log.push(...(await publishNext(overlay, content)));
    expect((await revisionsOf(overlay)).map(({ number }) => number)).toEqual([6, 5, 2, 1]);
    const kept = [1, 2, 5, 6].flatMap((number) => [`${number}`, `${number}.json`, `${number}.manifest`]);
    expect(await onDisk(overlay)).toEqual([...kept, '3000'].toSorted());
    expect(log.filter((line) => line.includes('is removed'))).toEqual([
      'Revision 3 is removed: no server uses it.',
      'Revision 4 is removed: no server uses it.',
    ]);
    await goTo(overlay, 3).expect(404);
  });

  it('that a killed collection left as folders go with the next build', async () => {
    const overlay = await panel.overlay('leftover', { [CFG]: 'one' });
    await publishNext(overlay, 'two');
    await publishNext(overlay, 'three');
    const folder = join(panel.root, 'overlays', String(overlay), '1');
    expect(await onDisk(overlay)).not.toContain('1');
    await mkdir(folder);
    await writeFile(join(folder, 'left.txt'), 'x');
    await publishNext(overlay, 'four');
    expect(await onDisk(overlay)).not.toContain('1');
  });

  it('that cannot be collected do not fail the build that published a new one', async () => {
    const overlay = await panel.overlay('damaged', { [CFG]: 'one' });
    await publishNext(overlay, 'two');
    const damaged = join(panel.root, 'instances/damaged/generations/1');
    await mkdir(damaged, { recursive: true });
    await writeFile(join(damaged, 'spec.yaml'), 'port: [');
    const log = await publishNext(overlay, 'three');
    await writeFile(
      join(damaged, 'spec.yaml'),
      JSON.stringify({ port: 27_998, overlays: [], arguments: [], files: [], hide: [] }),
    );
    expect(log).toContainEqual(expect.stringMatching(/^Old revisions were not removed, the next build tries again: /));
    expect((await revisionsOf(overlay)).map(({ number }) => number)).toEqual([3, 2, 1]);
    const { id } = await panel.build(overlay);
    expect((await panel.jobLog(id)).map(({ line }) => line)).toEqual([
      'Unchanged: the content equals revision 3; nothing was published.',
      'Revision 1 is removed: no server uses it.',
    ]);
    await publishNext(overlay, 'four');
    expect((await revisionsOf(overlay)).map(({ number }) => number)).toEqual([4, 3]);
  });
});
