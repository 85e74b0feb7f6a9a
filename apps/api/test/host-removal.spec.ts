import { afterAll, beforeAll, expect, it } from 'vitest';
import { HostPresence } from '../src/hosts/host-presence.js';
import { Announcements } from '../src/redis/announcements.js';
import { PASSWORD } from './app.js';
import { launchBrowser } from './browser.js';
import { eventually } from './eventually.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

let panel: QueuePanel;
let blueprintId: number;
beforeAll(async () => {
  panel = await startQueue();
  blueprintId = (await panel.admin.post('/api/v1/blueprints').send({ name: 'any' }).expect(201)).body.id;
});
afterAll(() => panel.close());

/** A host whose worker was seen that long ago. */
async function host(name: string, seenSecondsAgo = 60): Promise<number> {
  const [row] = await panel.database.query<[{ id: number }]>(
    `INSERT INTO hosts (name, worker_seen_at) VALUES ($1, clock_timestamp() - $2 * interval '1 s') RETURNING id`,
    [name, seenSecondsAgo],
  );
  return row.id;
}

const names = async (): Promise<string[]> =>
  (await panel.admin.get('/api/v1/hosts').expect(200)).body.items.map(({ name }: { name: string }) => name);
const remove = (reference: string | number) => panel.admin.delete(`/api/v1/hosts/${reference}`);
const refusal = async (reference: string) => (await remove(reference).expect(409)).body.detail;

it('a host that is gone is removed; its jobs stay, and its worker brings it back', async () => {
  const id = await host('gone');
  const [{ id: job }] = await panel.database.query<[{ id: number }]>(
    `INSERT INTO jobs (operation, host_id, state, finished_at) VALUES ('install', $1, 'succeeded', now()) RETURNING id`,
    [id],
  );
  await remove('gone').expect(204);
  expect(await names()).toEqual(['local']);
  for (const reference of [id, 'gone']) {
    await panel.admin.get(`/api/v1/hosts/${reference}`).expect(404);
    await remove(reference).expect(404);
    await panel.admin.post(`/api/v1/hosts/${reference}/jobs`).send({ operation: 'install' }).expect(404);
    const server = { name: 'late', blueprintId, hostId: reference };
    const { body } = await panel.admin.post('/api/v1/servers').send(server).expect(400);
    expect(body.errors).toEqual([{ path: 'hostId', message: `there is no host ${reference}` }]);
  }
  expect(await panel.job(job)).toMatchObject({ hostId: id, hostName: 'gone', state: 'succeeded' });

  const worker = new HostPresence(panel.database, panel.app.get(Announcements));
  expect(await worker.ensureHost('gone')).toBe(id);
  const incarnation = '00000000-0000-4000-8000-000000000001';
  const machine = {
    machineId: 'm',
    stateId: 's',
    serviceManager: 'process',
    isolation: null,
    isolationReason: null,
    demo: true,
    workerConcurrency: 1,
  };
  await worker.begin(id, incarnation, machine, () => undefined);
  expect(await names()).toEqual(['gone', 'local']);
  await worker.end(incarnation);
  await remove('gone').expect(204);
});

it('is refused while something is in the way', async () => {
  expect(await refusal('local')).toBe('local cannot be removed: overlays are built there.');

  await host('alive', 1);
  expect(await refusal('alive')).toBe('alive cannot be removed while its worker is there: stop the worker first.');

  const full = await host('full');
  const server = { name: 'there', blueprintId, hostId: full };
  await panel.admin.post('/api/v1/servers').send(server).expect(201);
  expect(await refusal('full')).toBe(
    'full cannot be removed while servers are on it: there. Delete them, or move them, first.',
  );
  await panel.admin.delete('/api/v1/servers/there').expect(204);
  const { body: job } = await panel.admin.post('/api/v1/hosts/full/jobs').send({ operation: 'install' }).expect(202);
  expect(await refusal('full')).toMatch(/^full cannot be removed while a job of it waits or runs: /);
  await panel.admin.post(`/api/v1/jobs/${job.id}/cancel`).expect(202);
  await remove('full').expect(204);
});

it('waits for a server that is just being put on it', async () => {
  const id = await host('busy');
  const other = panel.database.createQueryRunner();
  await other.startTransaction();
  const [holder]: [{ pid: number }] = await other.query(
    'SELECT pg_backend_pid() AS pid FROM hosts WHERE id = $1 FOR KEY SHARE',
    [id],
  );
  const removing = remove('busy').then(({ status }) => status);
  const waiting = 'SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))';
  await eventually('it waits', async () => (await panel.database.query<unknown[]>(waiting, [holder.pid])).length > 0);
  await other.query(
    `INSERT INTO servers (name, title, port, host_id, blueprint_id, owner_id, rcon_password)
     SELECT 'just-made', 'x', 27015, $1, $2, owner_id, '' FROM blueprints WHERE id = $2`,
    [id, blueprintId],
  );
  await other.commitTransaction();
  await other.release();
  expect(await removing).toBe(409);
  expect(await names()).toContain('busy');
});

it('is for admins', async () => {
  await host('theirs');
  const anna = await panel.user('anna');
  await anna.delete('/api/v1/hosts/theirs').expect(403);
  expect(await names()).toContain('theirs');
});

it('is done in the console, whose other pages hear of it', async () => {
  await host('far');
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(`${panel.url}/login`);
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/servers');
    const other = await context.newPage();
    for (const each of [page, other]) {
      await each.goto(`${panel.url}/hosts`);
      await each.getByRole('region', { name: 'Host far', exact: true }).waitFor();
    }
    // Behind another one a page is drawn once a second, and each click waits for several frames.
    await page.bringToFront();
    expect(await page.getByRole('button', { name: 'Remove local' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Remove far' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    for (const each of [page, other]) {
      await each.getByRole('region', { name: 'Host far', exact: true }).waitFor({ state: 'detached' });
    }
    await page.getByRole('button', { name: 'Remove busy' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByRole('dialog').getByText('while servers are on it: just-made').waitFor();
  } finally {
    await browser.close();
  }
}, 90_000);
