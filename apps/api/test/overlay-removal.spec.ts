import { randomUUID } from 'node:crypto';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { discardLeftBuilds } from '../src/jobs/worker/recovery.js';
import { OverlayRemoval } from '../src/overlays/overlay-removal.js';
import { Announcements } from '../src/redis/announcements.js';
import { eventually } from './eventually.js';
import { type QueuePanel, startQueue } from './queue-panel.js';
import { StandInHost } from './stand-in-host.js';

let queue: QueuePanel;
beforeAll(async () => {
  queue = await startQueue();
});
afterAll(() => queue.close());

const OWN = randomUUID();
const PLACES = ['drafts', 'overlays', 'builds', 'cache/scripts', 'cache/script-runs', 'cache/script-tmp'];

async function overlayWithFiles(name: string): Promise<number> {
  const { body } = await queue.admin.post('/api/v1/overlays').send({ name, catalog: true }).expect(201);
  await makeFiles(body.id);
  return body.id;
}

async function makeFiles(id: number): Promise<void> {
  for (const place of PLACES) {
    const folder = join(queue.settings.root, place, String(id), '1');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'a.txt'), 'x');
  }
}

/** Where there is something of an overlay. */
async function placesOf(id: number): Promise<string[]> {
  const found: string[] = [];
  for (const place of PLACES) {
    if ((await readdir(join(queue.settings.root, place))).includes(String(id))) found.push(place);
  }
  return found;
}

const rows = () => queue.database.query(`SELECT overlay_id FROM removed_overlays`);

it('everything of an overlay that was deleted is removed, and of no other', async () => {
  const [deleted, other] = [await overlayWithFiles('deleted'), await overlayWithFiles('other')];
  // Somebody's mistake: the overlay is there.
  queue.app.get(Announcements).publish({ topic: 'overlay', id: other, removed: true });
  await queue.admin.delete(`/api/v1/overlays/${deleted}`).expect(204);
  await eventually('its row is gone', async () => (await rows()).length === 0);
  expect(await placesOf(deleted)).toEqual([]);
  expect(await placesOf(other)).toEqual(PLACES);
});

it('what a killed process left of a deleted overlay is removed with the next look, whether or not anybody tells of it', async () => {
  const other = await overlayWithFiles('left alone');
  await makeFiles(4711);
  await queue.database.query(`INSERT INTO removed_overlays (overlay_id) VALUES (4711)`);
  await queue.app.get(OverlayRemoval).look();
  expect(await placesOf(4711)).toEqual([]);
  expect(await rows()).toEqual([]);
  expect(await placesOf(other)).toEqual(PLACES);
});

it('what a server has that l4d2ctl initialized stays until that needs it no more', async () => {
  await makeFiles(4712);
  queue.host.usedRevisions.add('4712/1');
  await queue.database.query(`INSERT INTO removed_overlays (overlay_id) VALUES (4712)`);
  await queue.app.get(OverlayRemoval).look();
  expect(await placesOf(4712)).toEqual(PLACES.slice(1));
  expect(await rows()).toEqual([{ overlay_id: 4712 }]);
  queue.host.usedRevisions.clear();
  await queue.app.get(OverlayRemoval).look();
  expect(await placesOf(4712)).toEqual([]);
  expect(await rows()).toEqual([]);
});

it('what a killed worker had made for a build is discarded by the next one, and of no other overlay', async () => {
  const [left, waiting] = [await overlayWithFiles('left'), await overlayWithFiles('waiting')];
  await queue.database.query(
    `INSERT INTO jobs (operation, state, host_id, overlay_id, incarnation, admitted_at)
     VALUES ('build-overlay', 'running', $1, $2, $3, now()), ('build-overlay', 'running', $1, $4, $5, now())`,
    [queue.hostId, left, randomUUID(), waiting, OWN],
  );
  const discarded: number[] = [];
  const host = Object.assign(new StandInHost(), {
    discardBuild: (overlay: number) => Promise.resolve(void discarded.push(overlay)),
  });
  await discardLeftBuilds(queue.database, host, queue.hostId, OWN);
  expect(discarded).toEqual([left]);
  await queue.database.query(`DELETE FROM jobs WHERE overlay_id IN ($1, $2)`, [left, waiting]);
});
