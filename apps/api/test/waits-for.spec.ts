import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobView } from '../src/jobs/job.dto.js';
import { type Agent } from './app.js';
import { eventually } from './eventually.js';
import { LiveClient } from './live-client.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

let panel: QueuePanel;
let guest: Agent;
let live: LiveClient;
let release: () => void;
beforeAll(async () => {
  panel = await startQueue();
  guest = await panel.user('guest');
  const { body: token } = await guest.post('/api/v1/tokens').send({ name: 'live', scopes: ['read'] });
  live = await LiveClient.open(panel.url, { authorization: `Bearer ${token.token}` });
});
afterAll(async () => {
  live.cut();
  release();
  await panel.close();
});

it('tells whoever waits of the jobs that they see, and of others only that there are some', async () => {
  const lists = ['servers', 'jobs', 'hosts'];
  for (const list of lists) live.subscribe(list);
  await eventually('it is subscribed', () => lists.every((list) => live.of('subscribed', list).length === 1));

  const { body: blueprint } = await guest.post('/api/v1/blueprints').send({ name: 'guests' }).expect(201);
  await guest.post('/api/v1/servers').send({ name: 'guests-own', blueprintId: blueprint.id }).expect(201);
  await panel.server('secret-plan');
  release = panel.host.hold('initialize', 'secret-plan');
  const secret = await panel.queue('secret-plan', 'initialize');
  await panel.reaches(secret.id, 'running');
  const install = await panel.install();
  const waiting: JobView = (
    await guest.post('/api/v1/servers/guests-own/jobs').send({ operation: 'initialize' }).expect(202)
  ).body;
  const behindInstall = { kind: 'job', jobId: install.id, operation: 'install' };
  expect(waiting.waitsFor).toMatchObject([behindInstall]);

  const get = async (who: Agent, path: string) => (await who.get(`/api/v1/${path}`).expect(200)).body;
  const installs = async (who: Agent): Promise<JobView[]> => [
    await get(who, `jobs/${install.id}`),
    (await get(who, 'jobs')).items.find(({ id }: JobView) => id === install.id),
    (await get(who, 'hosts')).items[0].job,
    (await get(who, `hosts/${panel.hostId}`)).job,
  ];
  for (const job of await installs(panel.admin)) {
    const text = `waits for job ${secret.id}, initialize of secret-plan`;
    expect(job.waitsFor).toEqual([{ kind: 'job', jobId: secret.id, operation: 'initialize', text }]);
  }
  for (const job of await installs(guest)) {
    expect(job.waitsFor).toEqual([{ kind: 'job', text: 'waits for another job' }]);
  }
  const seen = [await get(guest, 'servers/guests-own'), (await get(guest, 'servers')).items[0]];
  for (const { job } of seen) expect(job.waitsFor).toMatchObject([behindInstall]);

  await eventually(
    'the lists are pushed',
    () => live.of('changed', 'hosts').length > 0 && live.of('changed', 'jobs').length > 1,
  );
  expect(JSON.stringify(live.frames)).toContain('waits for another job');
  expect(JSON.stringify(live.frames)).not.toContain('secret-plan');
});
