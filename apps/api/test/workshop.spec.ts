import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StandInWorkshop, vpk } from '../../../libs/host/test/support/stand-in-workshop.js';
import type { JobView } from '../src/jobs/job.dto.js';
import type { LogItem } from '../src/jobs/log/job-lines.js';
import type { OverlayView } from '../src/overlays/overlay.dto.js';
import type { WorkshopItemList, WorkshopItemView } from '../src/workshop/workshop.dto.js';
import { type Agent, startApp, type TestApp } from './app.js';
import { eventually } from './eventually.js';

/** Workshop overlays from REST to the disk: the panel, its worker and the host library are real, Steam is a stand-in. */
let steam: StandInWorkshop;
let panel: TestApp;
let zoey: Agent;
beforeAll(async () => {
  steam = await StandInWorkshop.start();
  panel = await startApp({ workerEnabled: true, workshopUrl: steam.url });
  zoey = await panel.user('zoey');
});
afterAll(async () => {
  await panel.close();
  await steam.stop();
});

const URL = '/api/v1/overlays';
let count = 0;
/** An id that no other test uses. */
const newId = (): string => String(700_000_000 + ++count);

async function overlay(agent = zoey, body: object = {}): Promise<number> {
  const input = { name: `maps-${++count}`, kind: 'workshop', ...body };
  return (await agent.post(URL).send(input).expect(201)).body.id;
}

async function add(id: number, ...ids: string[]): Promise<WorkshopItemList> {
  return (await zoey.post(`${URL}/${id}/workshop-items`).send({ ids }).expect(201)).body;
}

async function items(id: number): Promise<Map<string, WorkshopItemView>> {
  const { body } = await zoey.get(`${URL}/${id}/workshop-items`).expect(200);
  return new Map((body as WorkshopItemList).items.map((item) => [item.publishedFileId, item]));
}

const view = async (id: number): Promise<OverlayView> => (await zoey.get(`${URL}/${id}`).expect(200)).body;

async function build(id: number): Promise<Pick<JobView, 'state' | 'error'> & { lines: string[] }> {
  const { body: queued } = await zoey.post(`${URL}/${id}/builds`).expect(202);
  let job: JobView = queued;
  await eventually(`job ${queued.id} ends`, async () => {
    job = (await zoey.get(`/api/v1/jobs/${queued.id}`).expect(200)).body;
    return ['succeeded', 'failed', 'cancelled'].includes(job.state);
  });
  const { body } = await zoey.get(`/api/v1/jobs/${queued.id}/logs`).expect(200);
  const { state, error } = job;
  return { state, error, lines: (body.items as LogItem[]).map((item) => ('line' in item ? item.line : '')) };
}

async function published(id: number, revision: number): Promise<string[]> {
  const folder = join(panel.settings.root, 'overlays', String(id), String(revision));
  return (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .toSorted();
}

describe('items of a Workshop overlay', () => {
  it('are added many at once, by id or address, with what Steam says of them', async () => {
    const [map, pack, inside, nested] = [newId(), newId(), newId(), newId()];
    for (const id of [map, inside]) steam.item(id);
    steam.collection(pack, [inside, nested]);
    steam.collection(nested, [pack, map]);
    const id = await overlay();
    const page = `https://steamcommunity.com/sharedfiles/filedetails/?id=${pack}&searchtext=`;
    const { items: list, ...rest } = await add(id, map, page, ` ${map} `);
    expect(rest).toEqual({ nextCursor: null, notice: null });
    expect(list.map(({ publishedFileId, listed, kind }) => [publishedFileId, listed, kind])).toEqual([
      [map, true, 'item'],
      [pack, true, 'collection'],
      [inside, false, 'item'],
      [nested, false, 'collection'],
    ]);
    expect(list[1]?.members).toEqual([inside, nested]);
    expect(list[3]?.members).toEqual([pack, map]);
    expect(list[0]).toEqual({
      publishedFileId: map,
      listed: true,
      kind: 'item',
      title: `Item ${map}`,
      bytes: steam.published.get(map)?.content?.length,
      previewUrl: `https://images.steamusercontent.com/ugc/${map}/`,
      updatedAt: '2023-11-14T22:13:21.000Z',
      fileName: null,
      state: 'new',
      problem: null,
      refreshedAt: expect.any(String) as string,
      members: [],
    });
    expect((await view(id)).draft.changed).toBe(true);
    await zoey.delete(`${URL}/${id}/workshop-items/${inside}`).expect(409);
    await zoey.delete(`${URL}/${id}/workshop-items/${pack}`).expect(204);
    expect([...(await items(id)).keys()]).toEqual([map]);
    await zoey.delete(`${URL}/${id}/workshop-items/${pack}`).expect(404);
  });

  it('are refused with every wrong entry named, and then none is added', async () => {
    const id = await overlay();
    const ids = [newId(), 'no mercy', 'https://steamcommunity.com/id/gabe', newId()];
    const { body } = await zoey.post(`${URL}/${id}/workshop-items`).send({ ids }).expect(400);
    expect(body.errors).toEqual([
      { path: 'ids.1', message: '"no mercy" is neither the id of an item or a collection nor its address at Steam' },
      { path: 'ids.2', message: expect.stringContaining('gabe') as string },
    ]);
    for (const wrong of [{}, { ids: [] }, { ids: 'x' }, { ids: [5] }, { ids: Array.from({ length: 501 }, newId) }]) {
      await zoey.post(`${URL}/${id}/workshop-items`).send(wrong).expect(400);
    }
    expect((await items(id)).size).toBe(0);
    const full = Array.from({ length: 500 }, newId);
    const names = await panel.database.query<{ id: number }[]>(
      `INSERT INTO workshop_items (overlay_id, published_file_id, listed) SELECT $1, unnest($2::text[]), true RETURNING id`,
      [id, full],
    );
    expect(names).toHaveLength(500);
    const { body: refusal } = await zoey
      .post(`${URL}/${id}/workshop-items`)
      .send({ ids: [newId()] })
      .expect(409);
    expect(refusal.detail).toContain('500 items at most');
    expect((await items(id)).size).toBe(500);
    expect((await view(id)).draft.changed).toBe(false);
  });

  it('are added while Steam is away; what it says comes later', async () => {
    const [map, busy] = [newId(), newId()];
    for (const item of [map, busy]) steam.item(item);
    const id = await overlay();
    steam.failures.push(503, 503);
    const { items: list, notice } = await add(id, map);
    expect(notice).toMatch(/^Steam's Workshop cannot be asked: .* answers 503\. They are added all the same/);
    expect(list[0]).toMatchObject({
      publishedFileId: map,
      state: 'unknown',
      title: null,
      kind: null,
      refreshedAt: null,
    });
    steam.failures.push(503, 503);
    expect((await add(id, map)).notice).toContain('answers 503. All of them were there already;');
    steam.failures.push(503, 503);
    await zoey.post(`${URL}/${id}/workshop-items/refresh`).expect(503);
    steam.results.set(busy, [84, 84]);
    expect((await add(id, busy)).notice).toBe(`Steam had no answer for ${busy}: Steam was asked too often.`);
    expect((await items(id)).get(busy)).toMatchObject({ state: 'unknown', problem: null });
    const { body } = await zoey.post(`${URL}/${id}/workshop-items/refresh`).expect(200);
    expect(body.items.map(({ state }: WorkshopItemView) => state)).toEqual(['new', 'new']);
  });

  it('have a file name of their own, which no other has', async () => {
    const [one, two, pack] = [newId(), newId(), newId()];
    for (const item of [one, two]) steam.item(item);
    steam.collection(pack, [two]);
    const id = await overlay();
    await add(id, one, pack);
    const rename = (item: string, fileName: unknown) =>
      zoey.patch(`${URL}/${id}/workshop-items/${item}`).send({ fileName });
    for (const wrong of [
      'a',
      'a.vpk.vpk',
      'a.b.vpk',
      '../a.vpk',
      '.vpk',
      'a b.vpk',
      'ä.vpk',
      5,
      undefined,
      `${'a'.repeat(61)}.vpk`,
    ]) {
      await rename(one, wrong).expect(400);
    }
    await rename(one, 'Mutation_1-a.vpk').expect(200);
    const { body: taken } = await rename(two, 'Mutation_1-a.vpk').expect(409);
    expect(taken.detail).toBe(`Item ${one} (${one}) is called Mutation_1-a.vpk already.`);
    await rename(two, `${one}.vpk`).expect(200);
    await rename(one, null).expect(409);
    await rename(pack, 'pack.vpk').expect(409);
    await rename(newId(), 'x.vpk').expect(404);
    expect((await build(id)).state).toBe('succeeded');
    expect(await published(id, 1)).toEqual([`left4dead2/addons/${one}.vpk`, 'left4dead2/addons/Mutation_1-a.vpk']);
  });

  it('are changed by whoever may change the overlay, and only of Workshop overlays', async () => {
    const id = await overlay();
    const mine = newId();
    steam.item(mine);
    await add(id, mine);
    const ben = await panel.user();
    await ben.get(`${URL}/${id}/workshop-items`).expect(404);
    await ben
      .post(`${URL}/${id}/workshop-items`)
      .send({ ids: [mine] })
      .expect(404);
    const catalog = await overlay(panel.admin, { catalog: true });
    await ben.get(`${URL}/${catalog}/workshop-items`).expect(200);
    await ben
      .post(`${URL}/${catalog}/workshop-items`)
      .send({ ids: [mine] })
      .expect(403);
    await ben.post(`${URL}/${catalog}/workshop-items/refresh`).expect(403);
    const files = await overlay(zoey, { kind: 'files' });
    const { body } = await zoey
      .post(`${URL}/${files}/workshop-items`)
      .send({ ids: [mine] })
      .expect(409);
    expect(body.detail).toMatch(/is no overlay of Workshop items: its kind is files\.$/);
    await zoey.patch(`${URL}/${files}`).send({ missingItems: 'skip' }).expect(400);
    await zoey.patch(`${URL}/${id}`).send({ missingItems: 'maybe' }).expect(400);
    await zoey.delete(`${URL}/${id}`).expect(204);
    expect(await panel.database.query(`SELECT id FROM workshop_items WHERE overlay_id = $1`, [id])).toEqual([]);
  });
});

describe('a build of a Workshop overlay', () => {
  it('publishes what Steam has, then only what is newer, and shares the rest', async () => {
    const [kept, changing, pack] = [newId(), newId(), newId()];
    steam.item(kept, vpk('kept', 300_000));
    steam.item(changing);
    steam.collection(pack, [kept, changing]);
    const id = await overlay();
    await add(id, pack);
    const first = await build(id);
    expect(first).toMatchObject({ state: 'succeeded', error: null });
    expect(first.lines).toContain(
      '0 of 2 items are on this machine; 2 (0.3 MB) are downloaded. A build that is cut goes on there.',
    );
    expect(first.lines).toContain(`Downloaded Item ${kept} (${kept}), 0.3 MB.`);
    expect(await view(id)).toMatchObject({ draft: { changed: false }, currentRevision: { number: 1, files: 2 } });
    const states = async () => [...(await items(id)).values()].map(({ state }) => state);
    expect(await states()).toEqual(['current', 'current', 'current']);

    const again = await build(id);
    expect(again.lines.at(-1)).toBe('Unchanged: the content equals revision 1; nothing was published.');

    steam.item(changing, vpk('changed'));
    await zoey.post(`${URL}/${id}/workshop-items/refresh`).expect(200);
    expect((await items(id)).get(changing)?.state).toBe('outdated');
    expect((await view(id)).draft.changed).toBe(true);
    steam.downloads.length = 0;
    expect((await build(id)).state).toBe('succeeded');
    expect(steam.downloads).toEqual([changing]);
    expect(await states()).toEqual(['current', 'current', 'current']);
    expect((await view(id)).draft.changed).toBe(false);
    const shared = await Promise.all(
      [1, 2].map((revision) =>
        stat(join(panel.settings.root, `overlays/${id}/${revision}/left4dead2/addons/${kept}.vpk`)),
      ),
    );
    expect(shared[0]?.ino).toBe(shared[1]?.ino);

    // Steam calls it newer, but it is the same file
    steam.item(changing, vpk('changed'));
    await zoey.post(`${URL}/${id}/workshop-items/refresh`).expect(200);
    expect((await items(id)).get(changing)?.state).toBe('outdated');
    expect((await build(id)).lines.at(-1)).toContain('Unchanged');
    expect(await states()).toEqual(['current', 'current', 'current']);
    expect((await view(id)).draft.changed).toBe(false);
  });

  it('fails with what cannot be had, or leaves it out, as the overlay says', async () => {
    const [good, gone, broken] = [newId(), newId(), newId()];
    steam.item(good);
    steam.item(broken, 'not a VPK');
    const id = await overlay();
    await add(id, good, gone, broken);
    expect((await items(id)).get(gone)).toMatchObject({
      state: 'unavailable',
      problem: 'it does not exist, or was removed or hidden by its author',
    });
    expect((await view(id)).missingItems).toBe('fail');
    const failed = await build(id);
    expect(failed).toMatchObject({
      state: 'failed',
      error: expect.stringContaining(`These cannot be had: ${gone}.`) as string,
    });
    expect(failed.lines).toContain(`${gone} cannot be had: it does not exist, or was removed or hidden by its author.`);
    expect((await view(id)).currentRevision).toBeNull();

    await zoey.patch(`${URL}/${id}`).send({ missingItems: 'skip' }).expect(200);
    const skipped = await build(id);
    expect(skipped.state).toBe('succeeded');
    expect(skipped.lines).toContain(`Left out: Item ${broken} (${broken}).`);
    expect(await published(id, 1)).toEqual([`left4dead2/addons/${good}.vpk`]);
    const list = await items(id);
    expect(list.get(good)?.state).toBe('current');
    expect(list.get(broken)).toMatchObject({
      state: 'unavailable',
      problem: expect.stringContaining('not a VPK') as string,
    });
    // Steam mends both
    steam.item(gone);
    steam.item(broken);
    await zoey.post(`${URL}/${id}/workshop-items/refresh`).expect(200);
    expect([...(await items(id)).values()].map(({ state }) => state)).toEqual(['current', 'new', 'new']);
    expect((await build(id)).state).toBe('succeeded');
    expect(await published(id, 2)).toHaveLength(3);
  });

  it('never leaves out what Steam has no answer for, and refuses two items of one name', async () => {
    const [one, two, pack] = [newId(), newId(), newId()];
    for (const item of [one, two]) steam.item(item);
    steam.collection(pack, []);
    const id = await overlay();
    await zoey.patch(`${URL}/${id}`).send({ missingItems: 'skip' }).expect(200);
    await add(id, one, pack);
    steam.failures.push(404);
    expect(await build(id)).toMatchObject({
      state: 'failed',
      error: expect.stringContaining('cannot be asked') as string,
    });
    await zoey
      .patch(`${URL}/${id}/workshop-items/${one}`)
      .send({ fileName: `${two}.vpk` })
      .expect(200);
    steam.collection(pack, [two]);
    expect(await build(id)).toMatchObject({
      state: 'failed',
      error: `Item ${one} (${one}) and Item ${two} (${two}) would both be ${two}.vpk: give one another name.`,
    });
  });

  it('can be cancelled in mid-download, and the next one goes on from there', async () => {
    const id = await overlay();
    const item = newId();
    steam.item(item, vpk('large', 500_000)).mishaps.push({ stallAfter: 200_000 });
    await add(id, item);
    const { body: job } = await zoey.post(`${URL}/${id}/builds`).expect(202);
    await eventually('200,000 bytes are there', async () => {
      const { body } = await zoey.get(`/api/v1/jobs/${job.id}`).expect(200);
      return body.progress?.text === '0 of 1 items' && body.progress.percent > 39;
    });
    await zoey.post(`/api/v1/jobs/${job.id}/cancel`);
    await eventually('it is cancelled', async () => {
      const { body } = await zoey.get(`/api/v1/jobs/${job.id}`).expect(200);
      return body.state === 'cancelled';
    });
    expect((await build(id)).state).toBe('succeeded');
    expect(steam.downloads.filter((line) => line.startsWith(item))).toEqual([item, `${item} from 200000`]);
  });
});
