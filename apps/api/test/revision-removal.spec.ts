import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Announcements } from '../src/redis/announcements.js';
import { eventually } from './eventually.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

let queue: QueuePanel;
beforeAll(async () => {
  queue = await startQueue();
});
afterAll(() => queue.close());

async function overlayWithRevision(name: string): Promise<number> {
  const { body } = await queue.admin.post('/api/v1/overlays').send({ name, catalog: true }).expect(201);
  const folder = join(queue.settings.root, 'overlays', String(body.id), '1');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'a.txt'), 'x');
  return body.id;
}
const kept = () => readdir(join(queue.settings.root, 'overlays'));

it('the worker removes the revisions of an overlay that was deleted, and of no other', async () => {
  const [deleted, other] = [await overlayWithRevision('deleted'), await overlayWithRevision('other')];
  // Somebody's mistake: the overlay is there.
  queue.app.get(Announcements).publish({ topic: 'overlay', id: other, removed: true });
  await queue.admin.delete(`/api/v1/overlays/${deleted}`).expect(204);
  await eventually('its folder is gone', async () => !(await kept()).includes(String(deleted)));
  expect(await kept()).toContain(String(other));
});
