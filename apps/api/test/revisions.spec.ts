import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DifferenceView, RevisionItem } from '../src/overlays/revision.dto.js';
import { eventually } from './eventually.js';
import { Instance } from './instance.js';
import { descendants } from './process-tree.js';
import { RealPanel } from './real-panel.js';

let panel: RealPanel;
beforeAll(async () => {
  panel = await RealPanel.make({ LEFT4ME_KEPT_REVISIONS: '2' });
});
afterAll(() => panel.close());

const CFG = 'left4dead2/cfg/pack.cfg';
const plan = z.object({
  isolation: z.string(),
  uid: z.number(),
  root: z.string(),
  name: z.string(),
  layers: z.string(),
  command: z.array(z.string()),
});

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

describe('a server that runs', () => {
  const DATABASE = 'left4dead2/addons/sourcemod/data/stats.sq3';

  it('sees nothing of builds, deletions, initializing and collecting, nor does one that has crashed; restart brings the new content', async () => {
    const overlay = await panel.overlay('seen', { [CFG]: 'one', 'left4dead2/addons/map.vpk.txt': 'x'.repeat(100_000) });
    const unused = await panel.overlay('unused', { [CFG]: 'unused' });
    const blueprint = await panel.blueprint('seen', [overlay]);
    const { port } = await panel.server('seeing', blueprint);
    await panel.startServer('seeing');
    const instance = new Instance(panel.root, 'seeing', port);
    await mkdir(dirname(await instance.inside(DATABASE)), { recursive: true });
    await writeFile(await instance.inside(DATABASE), 'statistics');
    await writeFile(await instance.inside(CFG), 'by the server');
    const before = await hashesIn(await instance.inside('.'));
    expect(before.size).toBeGreaterThan(5);

    const { layers, start } = await launchOf(instance);
    for (const content of ['two', 'three', 'four', 'five']) await publishNext(overlay, content);
    await goTo(overlay, 4).expect(200);
    await panel.admin.delete(`/api/v1/overlays/${unused}`).expect(204);
    expect(await panel.do('seeing', 'initialize')).toMatchObject({ state: 'succeeded' });
    expect(await onDisk(overlay)).not.toContain('3');
    expect(await hashesIn(await instance.inside('.'))).toEqual(before);

    // What systemd does after a crash: the same launch again, without the panel.
    const { server } = await instance.pids();
    process.kill(server, 'SIGKILL');
    await panel.reaches('seeing', { actualState: 'failed' });
    expect(layers).toContain(`overlays/${overlay}/1`);
    const again = start();
    const seen = await treeOf(again);
    expect(await hashesIn(seen)).toEqual(before);
    again.kill('SIGKILL');
    await once(again, 'close');

    const restart = await panel.do('seeing', 'restart');
    expect(restart).toMatchObject({ state: 'succeeded' });
    expect(await readFile(await instance.inside(CFG), 'utf8')).toBe('four');
    expect(await readFile(await instance.inside(DATABASE), 'utf8')).toBe('statistics');
    expect((await panel.jobLog(restart.id)).map(({ line }) => line)).toContain(
      `"${CFG}" has changed in the layers: the server's own copy is in replaced/${restart.id}/ now`,
    );
    const replaced = '/api/v1/servers/seeing/replaced';
    const [copy, ...others] = (await panel.admin.get(replaced).expect(200)).body.items;
    expect(others).toEqual([]);
    expect(copy).toEqual({
      job: String(restart.id),
      jobId: restart.id,
      path: CFG,
      size: 'by the server'.length,
      replacedAt: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const content = (job: string, path: string) =>
      panel.admin.get(`${replaced}/content?job=${encodeURIComponent(job)}&path=${encodeURIComponent(path)}`);
    expect((await content(copy.job, CFG).expect(200)).body.toString()).toBe('by the server');
    await content(copy.job, 'other.cfg').expect(404);
    await content('999', CFG).expect(404);
    await content(copy.job, '../../run.json').expect(400);
    await content('../upper', CFG).expect(400);
  });

  it('loses its own server.cfg to the panel, and whoever downloads that sees no password', async () => {
    const { port } = await panel.get('seeing');
    const instance = new Instance(panel.root, 'seeing', port);
    const cfg = 'left4dead2/cfg/server.cfg';
    const generated = await readFile(await instance.inside(cfg), 'utf8');
    const password = /^rcon_password "([^"]+)"$/m.exec(generated)?.[1] ?? 'none';
    await writeFile(await instance.inside(cfg), `${generated}\nhostname "mine"`);
    const { id } = await panel.do('seeing', 'restart');
    expect(await readFile(await instance.inside(cfg), 'utf8')).toBe(generated);
    const { body } = await panel.admin.get(`/api/v1/servers/seeing/replaced/content?job=${id}&path=${cfg}`).expect(200);
    expect(body.toString()).toContain('hostname "mine"');
    expect(body.toString()).not.toContain(password);
    expect(body.toString()).toContain(`rcon_password "${'*'.repeat(password.length)}"`);
  });
});

/** SHA-256 of every file below a folder, but of what the demo server itself writes while it runs or starts. */
async function hashesIn(folder: string): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || /\/left4dead2\/logs\/|\/clientprefs-sqlite\.sq3$/.test(path)) continue;
    hashes.set(
      relative(folder, path),
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  }
  return hashes;
}

/** How a running server was launched, and the means to do the same again. */
async function launchOf(instance: Instance): Promise<{ layers: string; start: () => ChildProcess }> {
  const { supervisor } = await instance.pids();
  const [text = ''] = (await readFile(`/proc/${supervisor}/cmdline`, 'utf8')).split('\0').filter(Boolean).slice(-1);
  const { isolation, uid, root, name, layers, command } = plan.parse(JSON.parse(text));
  const programs = fileURLToPath(new URL('../../../libs/host/programs', import.meta.url));
  const locked = ['/bin/sh', join(programs, 'with-lock.sh'), join(instance.folder, 'lock')];
  const launch = [
    '/bin/sh',
    join(programs, 'launch-server.sh'),
    isolation,
    String(uid),
    root,
    name,
    layers,
    ...command,
  ];
  const start = (): ChildProcess => {
    const child = panel.folder.execute([...locked, ...launch]);
    child.stdout?.resume();
    child.stderr?.resume();
    child.stdin?.end('go\n');
    return child;
  };
  return { layers, start };
}

/** The tree that a launched server sees, once it is that. */
async function treeOf({ pid = 0 }: ChildProcess): Promise<string> {
  let server: number | undefined;
  await eventually('the server runs again', async () => {
    server = (await descendants(pid)).find(({ command }) => command.startsWith('./bin/demo-node'))?.pid;
    return server !== undefined;
  });
  return `/proc/${server}/root/game`;
}
