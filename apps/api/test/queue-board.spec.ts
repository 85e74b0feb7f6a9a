import { Queue } from 'bullmq';
import supertest from 'supertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { QueueBoard } from '../src/queues/queue-board.js';
import { RedisConnections } from '../src/redis/redis.js';
import { startApp, type TestApp } from './app.js';

let panel: TestApp;
let queue: Queue;
beforeAll(async () => {
  panel = await startApp();
  const { queues: connection, prefix } = panel.app.get(RedisConnections);
  queue = new Queue('board-test', { connection, prefix });
  panel.app.get(QueueBoard).add(queue);
});
afterAll(async () => {
  await queue.obliterate({ force: true });
  await queue.close();
  await panel.close();
});

it('shows the queues to admins, with all it needs from the panel itself', async () => {
  await queue.add('job', { id: 1 });
  const page = await panel.admin.get('/queues').set('Accept', 'text/html').expect(200);
  const [script] = page.text.match(/static\/js\/main\.\w+\.js/) ?? [];
  await panel.admin.get(`/queues/${script}`).expect(200);
  const { body } = await panel.admin.get('/queues/api/queues').expect(200);
  const names = body.queues.map((shown: { name: string }) => shown.name);
  expect(names).toContain('board-test');
});

it('sends a browser that is not logged in to the login, and only back to itself', async () => {
  const go = async (address: string) =>
    (await supertest(panel.url).get(address).set('Accept', 'text/html').redirects(0).expect(302)).get('Location');
  expect(await go('/queues/queue/board-test?status=failed')).toBe(
    '/login?to=%2Fqueues%2Fqueue%2Fboard-test%3Fstatus%3Dfailed',
  );
  expect(await go('/queues//evil.example')).toBe('/login?to=%2Fqueues');
  expect(await go('/queues/%2f%2fevil.example')).toBe('/login?to=%2Fqueues');
});

it('is closed to everybody else', async () => {
  await supertest(panel.url)
    .get('/queues/api/queues')
    .expect(401)
    .expect('Content-Type', /problem\+json/);
  const user = await panel.user();
  await user.get('/queues').set('Accept', 'text/html').expect(403);
  const { body } = await panel.admin.post('/api/v1/tokens').send({ name: 't', scopes: ['read', 'operate', 'manage'] });
  await panel.anonymous.get('/queues/api/queues').set('Authorization', `Bearer ${body.token}`).expect(403);
  await panel.admin.put('/queues/api/queues/board-test/pause').set('Origin', 'https://evil.example').expect(403);
});
