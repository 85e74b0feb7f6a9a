import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { type FreshDatabase, freshDatabase } from './database.js';
import { freePort } from './free-port.js';
import { PASSWORD, RealPanel } from './real-panel.js';
import { StateFolder } from './state-folder.js';

let folder: StateFolder;
let fresh: FreshDatabase;
let given: Record<string, string>;
beforeAll(async () => {
  folder = await StateFolder.make();
  fresh = await freshDatabase();
  given = { DATABASE_URL: fresh.url, REDIS_URL: inject('redisUrl'), LEFT4ME_ADMIN_PASSWORD: PASSWORD };
});
afterAll(async () => {
  await folder.remove();
  await fresh.drop();
});

const answering = { JOB_WORKER_ENABLED: 'false' };

it('is a worker’s alone, and any number of processes that only answer', { timeout: 60_000 }, async () => {
  const worker = new RealPanel(folder, await freePort(), given);
  await worker.start();
  const other = new RealPanel(folder, await freePort(), { ...given, ...answering });
  await other.start();
  await other.logIn('admin', PASSWORD);
  const { body } = await other.admin.get('/api/v1/hosts/1').expect(200);
  expect(body).toMatchObject({ name: 'local', online: true });

  const second = await folder.finish(['serve'], { ...given, LEFT4ME_PORT: String(await freePort()) });
  expect(second).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Another left4me \(process \d+\) is already/),
  });

  expect(await Promise.all([other.end('SIGTERM'), worker.end('SIGTERM')])).toEqual([0, 0]);
});
