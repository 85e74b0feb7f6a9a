import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JobView } from '../src/jobs/job.dto.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

/** A host that takes no jobs although it is online: what is queued there stays as it is. */
let panel: QueuePanel;
let attic: number;
let blueprint: number;
beforeAll(async () => {
  panel = await startQueue();
  const [host] = await panel.database.query<[{ id: number }]>(
    `INSERT INTO hosts (name, worker_seen_at, worker_concurrency) VALUES ('attic', now() + interval '1 hour', 2) RETURNING id`,
  );
  attic = host.id;
  blueprint = (await panel.admin.post('/api/v1/blueprints').send({ name: 'far' }).expect(201)).body.id;
});
afterAll(() => panel.close());

async function queue(name: string, key = name): Promise<JobView> {
  const post = panel.admin.post(`/api/v1/servers/${name}/jobs`).set('Idempotency-Key', key);
  return (await post.send({ operation: 'stop' }).expect(202)).body;
}

const run = (job: JobView, state: string) =>
  panel.database.query(`UPDATE jobs SET state = $2, started_at = now() WHERE id = $1`, [job.id, state]);

it('a job waits for a place only while its lane is full', async () => {
  const names = ['one', 'two', 'three'];
  for (const name of names) {
    await panel.admin.post('/api/v1/servers').send({ name, blueprintId: blueprint, hostId: attic }).expect(201);
  }
  const nothing = { state: 'queued', waitsFor: [] };
  const one = await queue('one');
  expect(one).toMatchObject(nothing);
  // Sent again it is the same answer, word for word.
  expect(await queue('one')).toEqual(one);
  expect(await panel.job(one.id)).toMatchObject(nothing);

  await run(one, 'running');
  const two = await queue('two');
  expect(await panel.job(two.id)).toMatchObject(nothing);
  await run(two, 'cancelling');
  const three = await queue('three');
  expect(three).toMatchObject(nothing);
  const slot = { kind: 'slot', text: 'waits for a place in the server lane, whose 2 places are taken' };
  expect((await panel.job(three.id)).waitsFor).toEqual([slot]);
  const { body } = await panel.admin.get('/api/v1/jobs').expect(200);
  expect(body.items.map((job: JobView) => job.waitsFor)).toEqual([[slot], [], []]);

  // Those of another lane have their own places.
  await run(one, 'queued');
  expect(await panel.job(three.id)).toMatchObject(nothing);
});
