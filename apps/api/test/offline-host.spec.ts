import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobState } from '../src/jobs/job.entity.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

let panel: QueuePanel;
let attic: number;
let server: number;
beforeAll(async () => {
  panel = await startQueue();
  const [host] = await panel.database.query<[{ id: number }]>(
    `INSERT INTO hosts (name, worker_seen_at) VALUES ('attic', clock_timestamp() - interval '1 minute') RETURNING id`,
  );
  attic = host.id;
  const { body: blueprint } = await panel.admin.post('/api/v1/blueprints').send({ name: 'far' }).expect(201);
  const body = { name: 'far', blueprintId: blueprint.id, hostId: attic };
  server = (await panel.admin.post('/api/v1/servers').send(body).expect(201)).body.id;
});
afterAll(() => panel.close());

/** A job as a worker that was killed leaves it. */
async function leftBehind(state: JobState): Promise<number> {
  const [job] = await panel.database.query<[{ id: number }]>(
    `INSERT INTO jobs (operation, host_id, server_id, server_name, state, admitted_at, started_at, incarnation)
     VALUES ('start', $1, $2, 'far', $3, now(), now(), gen_random_uuid()) RETURNING id`,
    [attic, server, state],
  );
  return job.id;
}

const unknown = { kind: 'host', text: 'host attic is offline: how this job ended is known when its worker is back' };
const later = { kind: 'host', text: 'host attic is offline: the cancellation takes effect when its worker is back' };

it('a job that had begun there waits for its host, wherever it is shown', async () => {
  const id = await leftBehind('running');
  const get = async (path: string) => (await panel.admin.get(`/api/v1/${path}`).expect(200)).body;
  for (const job of [await panel.job(id), (await get('jobs')).items[0], (await get('servers/far')).job]) {
    expect(job).toMatchObject({ id, state: 'running', waitsFor: [unknown] });
  }
  const waited = performance.now();
  expect(await get(`jobs/${id}?wait=1`)).toMatchObject({ state: 'running', waitsFor: [unknown] });
  expect(performance.now() - waited).toBeGreaterThan(900);
});

it('a cancellation there is taken, and the answer says when it takes effect', async () => {
  const id = await leftBehind('running');
  for (const _ of ['first', 'again']) {
    const { body } = await panel.admin.post(`/api/v1/jobs/${id}/cancel`).expect(202);
    expect(body).toMatchObject({ id, state: 'cancelling', waitsFor: [later] });
  }
});

it('a job that runs on a host that is there waits for nothing', async () => {
  await panel.server('near');
  const release = panel.host.hold('stop', 'near');
  const { id } = await panel.queue('near', 'stop');
  expect((await panel.reaches(id, 'running')).waitsFor).toEqual([]);
  release();
  await panel.ended(id);
});

it('its address is an admin’s to set: a name or an IPv4 address, or none', async () => {
  const guest = await panel.user('guest');
  const path = `/api/v1/hosts/${attic}`;
  await guest.patch(path).send({ address: 'attic.example.org' }).expect(403);
  const connect = async () => (await panel.admin.get('/api/v1/servers/far').expect(200)).body.connect;
  const before: string = await connect();
  const port = before.split(':')[1];
  for (const address of ['attic.example.org', '192.0.2.7', 'attic']) {
    const { body } = await panel.admin.patch(path).send({ address }).expect(200);
    expect(body).toMatchObject({ id: attic, address });
    expect(await connect()).toBe(`${address}:${port}`);
  }
  for (const address of [
    '',
    'attic:27015',
    '-attic',
    'a b',
    'attic.',
    '::1',
    '999.1.1.1',
    '1.2.3',
    'a'.repeat(64),
    7,
    undefined,
  ]) {
    await panel.admin.patch(path).send({ address }).expect(400);
  }
  await panel.admin.patch('/api/v1/hosts/999').send({ address: 'attic' }).expect(404);
  await panel.admin.patch(path).send({ address: null }).expect(200);
  expect(await connect()).toBe(before);
});

it('jobs are listed by host', async () => {
  const ids = async (query: string) =>
    (await panel.admin.get(`/api/v1/jobs${query}`).expect(200)).body.items.map((job: { id: number }) => job.id);
  const [far, near] = [await ids(`?hostId=${attic}`), await ids(`?hostId=${panel.hostId}`)];
  expect(far.length).toBeGreaterThan(0);
  expect(near.length).toBeGreaterThan(0);
  expect([...far, ...near].toSorted()).toEqual((await ids('')).toSorted());
  expect(await ids('?hostId=attic')).toEqual(far);
  expect(await ids('?hostId=nowhere')).toEqual([]);
  await panel.admin.get('/api/v1/jobs?hostId=').expect(400);
});
