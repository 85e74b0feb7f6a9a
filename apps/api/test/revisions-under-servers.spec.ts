import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { StandInWorkshop, vpk } from '../../../libs/host/test/support/stand-in-workshop.js';
import type { RevisionItem } from '../src/overlays/revision.dto.js';
import { eventually } from './eventually.js';
import { Instance } from './instance.js';
import { descendants } from './process-tree.js';
import { RealPanel } from './real-panel.js';

let steam: StandInWorkshop;
let panel: RealPanel;
beforeAll(async () => {
  steam = await StandInWorkshop.start();
  panel = await RealPanel.make({ LEFT4ME_KEPT_REVISIONS: '2', LEFT4ME_WORKSHOP_URL: steam.url });
});
afterAll(async () => {
  await panel.close();
  await steam.stop();
});

const CFG = 'left4dead2/cfg/pack.cfg';
const ITEM = '700000001';
const MAP = `left4dead2/addons/${ITEM}.vpk`;
const plan = z.object({
  isolation: z.string(),
  uid: z.number(),
  root: z.string(),
  name: z.string(),
  layers: z.string(),
  command: z.array(z.string()),
});

const onDisk = async (overlay: number): Promise<string[]> =>
  (await readdir(join(panel.root, 'overlays', String(overlay))).catch(() => [])).toSorted();
const goTo = (overlay: number, number: number) =>
  panel.admin.put(`/api/v1/overlays/${overlay}/current-revision`).send({ number });

/** Publishes the next revision of an overlay, in which its one file says so. */
async function publishNext(overlay: number, content: string): Promise<void> {
  await panel.edit(overlay, { [CFG]: content });
  expect(await panel.build(overlay)).toMatchObject({ state: 'succeeded' });
}

async function workshopOverlay(name: string, item: string): Promise<number> {
  steam.item(item, vpk('one'));
  const { body } = await panel.admin
    .post('/api/v1/overlays')
    .send({ name, kind: 'workshop', catalog: true })
    .expect(201);
  await panel.admin
    .post(`/api/v1/overlays/${body.id}/workshop-items`)
    .send({ ids: [item] })
    .expect(201);
  expect(await panel.build(body.id)).toMatchObject({ state: 'succeeded' });
  return body.id;
}

/** Steam has another file of the item, which the overlay takes. */
async function refresh(overlay: number, item: string, content: string): Promise<void> {
  steam.item(item, vpk(content));
  await panel.admin.post(`/api/v1/overlays/${overlay}/workshop-items/refresh`).expect(200);
  expect(await panel.build(overlay)).toMatchObject({ state: 'succeeded' });
}

describe('revisions that generations pin', () => {
  it('stay whatever is built, gone back to and initialized at the same moment', async () => {
    const overlay = await panel.overlay('contended', { [CFG]: '0' });
    const blueprint = await panel.blueprint('contended', [overlay]);
    const servers = ['one', 'two'];
    for (const name of servers) await panel.server(name, blueprint);
    for (let round = 1; round <= 5; round++) {
      await panel.edit(overlay, { [CFG]: String(round) });
      const { body: revisions } = await panel.admin.get(`/api/v1/overlays/${overlay}/revisions`).expect(200);
      const numbers: number[] = revisions.items.map(({ number }: RevisionItem) => number);
      const goingBack = async (): Promise<void> => {
        for (const number of numbers) expect([200, 404, 409]).toContain((await goTo(overlay, number)).status);
      };
      const jobs = [panel.build(overlay), ...servers.map((name) => panel.do(name, 'initialize'))];
      const [built, ...initialized] = await Promise.all([...jobs, goingBack()]);
      expect(built).toMatchObject({ state: 'succeeded' });
      for (const job of initialized.slice(0, servers.length))
        expect(job).toMatchObject({ state: 'succeeded', error: null });
      const there = await onDisk(overlay);
      for (const name of servers) expect([name, there]).toEqual([name, expect.arrayContaining(await pinnedBy(name))]);
    }
    // Others did go: at most the two newest, the current and the two pinned ones are left.
    expect((await onDisk(overlay)).filter((name) => /^\d+$/.test(name)).length).toBeLessThan(6);
    await panel.startServer('two');
  });
});

describe('a Workshop overlay of which an earlier revision was made current', () => {
  it('keeps it over looks for updates; the next build takes what Steam has, as the overlay says before', async () => {
    const item = '700000002';
    const maps = await workshopOverlay('returning maps', item);
    await refresh(maps, item, 'two');
    const { body: back } = await goTo(maps, 1).expect(200);
    const wentBack = { number: 1, returnedAt: expect.any(String) };
    expect(back).toMatchObject({ currentRevision: wentBack, draft: { changed: true } });
    const url = `/api/v1/overlays/${maps}`;
    for (const look of [panel.admin.get(`${url}/workshop-items`), panel.admin.post(`${url}/workshop-items/refresh`)]) {
      expect((await look.expect(200)).body.items).toMatchObject([{ publishedFileId: item, state: 'outdated' }]);
      expect((await panel.admin.get(url)).body.currentRevision).toMatchObject(wentBack);
    }
    expect(await panel.build(maps)).toMatchObject({ state: 'succeeded' });
    const { body: revisions } = await panel.admin.get(`${url}/revisions`).expect(200);
    const [third, second] = revisions.items;
    expect(third).toMatchObject({ number: 3, current: true, returnedAt: null, contentHash: second.contentHash });
    // Back to one that is what Steam has: there is nothing to publish, and it stays.
    await goTo(maps, 2).expect(200);
    expect(await panel.build(maps)).toMatchObject({ state: 'succeeded' });
    expect((await panel.admin.get(url)).body).toMatchObject({
      currentRevision: { number: 2 },
      draft: { changed: false },
    });
  });
});

/** The numbers of the revisions that a server's specifications on the disk name. */
async function pinnedBy(server: string): Promise<string[]> {
  const generations = join(panel.root, 'instances', server, 'generations');
  const specs = await Promise.all(
    (await readdir(generations)).map((number) => readFile(join(generations, number, 'spec.yaml'), 'utf8')),
  );
  return specs.flatMap((spec) => [...spec.matchAll(/\b\d+\/(\d+)\b/g)].map(([, number = '']) => number));
}

describe('a server that runs', () => {
  const DATABASE = 'left4dead2/addons/sourcemod/data/stats.sq3';

  it('sees nothing of builds, refreshes, deletions, initializing and collecting, nor does one that has crashed; restart brings the new content', async () => {
    const overlay = await panel.overlay('seen', { [CFG]: 'one', 'left4dead2/addons/map.vpk.txt': 'x'.repeat(100_000) });
    const maps = await workshopOverlay('maps', ITEM);
    const unused = await panel.overlay('unused', { [CFG]: 'unused' });
    const dropped = await panel.overlay('dropped', { 'left4dead2/dropped.txt': 'taken out of the blueprint' });
    const blueprint = await panel.blueprint('seen', [overlay, maps, dropped]);
    const { port } = await panel.server('seeing', blueprint);
    await panel.startServer('seeing');
    const instance = new Instance(panel.root, 'seeing', port);
    await mkdir(dirname(await instance.inside(DATABASE)), { recursive: true });
    await writeFile(await instance.inside(DATABASE), 'statistics');
    await writeFile(await instance.inside(CFG), 'by the server');
    const before = await hashesIn(await instance.inside('.'));
    expect(before.size).toBeGreaterThan(5);
    for (const path of [CFG, MAP, 'left4dead2/dropped.txt']) expect([...before.keys()]).toContain(path);

    const { layers, start } = await launchOf(instance);
    for (const content of ['two', 'three', 'four', 'five']) await publishNext(overlay, content);
    await goTo(overlay, 4).expect(200);
    for (const content of ['two', 'three', 'four']) await refresh(maps, ITEM, content);
    await panel.admin.delete(`/api/v1/overlays/${unused}`).expect(204);
    await eventually('what was deleted is gone', async () => (await onDisk(unused)).length === 0);
    expect(await panel.do('seeing', 'initialize')).toMatchObject({ state: 'succeeded' });
    const places = [overlay, maps].map((overlayId) => ({ overlayId }));
    await panel.admin.patch(`/api/v1/blueprints/${blueprint}`).send({ overlays: places }).expect(200);
    // In the meantime the server's next generation has it, too; the running one pins it alone then.
    await panel.admin.delete(`/api/v1/overlays/${dropped}`).expect(409);
    expect(await panel.do('seeing', 'initialize')).toMatchObject({ state: 'succeeded' });
    await panel.admin.delete(`/api/v1/overlays/${dropped}`).expect(409);
    for (const [id, gone] of [
      [overlay, '3'],
      [maps, '2'],
    ] as const) {
      expect(await onDisk(id)).toContain('1');
      expect(await onDisk(id)).not.toContain(gone);
    }
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
    expect(await readFile(await instance.inside(MAP))).toEqual(vpk('four'));
    expect([...(await hashesIn(await instance.inside('.'))).keys()]).not.toContain('left4dead2/dropped.txt');
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
      target: null,
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
    const page = async (cursor: string) =>
      (await panel.admin.get(`/api/v1/servers/seeing/replaced?limit=1${cursor}`).expect(200)).body;
    const { items, nextCursor } = await page('');
    expect(items).toMatchObject([{ jobId: id, path: cfg }]);
    expect(await page(`&cursor=${encodeURIComponent(nextCursor)}`)).toMatchObject({
      items: [{ path: CFG }],
      nextCursor: null,
    });
    await panel.admin.get('/api/v1/servers/seeing/replaced?cursor=x').expect(400, /not one of an earlier answer/);
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
