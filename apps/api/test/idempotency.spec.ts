import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdempotencyKey } from '../src/idempotency/idempotency-key.entity.js';
import { PASSWORD, startApp, type TestApp } from './app.js';

const USERS = '/api/v1/users';

let panel: TestApp;
beforeAll(async () => {
  panel = await startApp();
});
afterAll(() => panel.close());

const make = (key: string, name: string) =>
  panel.admin.post(USERS).set('Idempotency-Key', key).send({ name, password: PASSWORD, role: 'user' });

it('answers the same POST as the first time, and carries it out once', async () => {
  const first = await make('a', 'anna').expect(201);
  const again = await make('a', 'anna').expect(201);
  expect(again.body).toEqual(first.body);
  expect(again.get('Idempotency-Replayed')).toBe('true');
  await make('b', 'anna').expect(409);
});

it('lets one of many at the same time through', async () => {
  const statuses = (await Promise.all(Array.from({ length: 8 }, () => make('c', 'carl')))).map(
    (answer) => answer.status,
  );
  expect(statuses).toContain(201);
  expect(statuses.every((status) => status === 201 || status === 409)).toBe(true);
  expect((await make('c', 'carl')).status).toBe(201);
});

it('refuses the key for another body, and a key that is none', async () => {
  await make('d', 'dora').expect(201);
  const { body } = await make('d', 'dorothea').expect(409);
  expect(body.detail).toBe('This Idempotency-Key was used with another body: use a new key for a new request.');
  await make('with space', 'x').expect(400);
});

it('does not remember a refusal', async () => {
  await make('e', '-bad-').expect(400);
  await make('e', 'emil').expect(201);
});

it('is each user’s own, and forgotten after a day', async () => {
  await make('f', 'fritz').expect(201);
  const other = await panel.user('other-admin', 'admin');
  await other
    .post(USERS)
    .set('Idempotency-Key', 'f')
    .send({ name: 'gerd', password: PASSWORD, role: 'user' })
    .expect(201);
  await panel.database
    .getRepository(IdempotencyKey)
    .update({ key: 'f' }, { createdAt: new Date(Date.now() - 25 * 3600 * 1000) });
  await make('f', 'fritz').expect(409);
});

it('never keeps the secret of a token', async () => {
  const token = () =>
    panel.admin
      .post('/api/v1/tokens')
      .set('Idempotency-Key', 'g')
      .send({ name: 't', scopes: ['read'] })
      .expect(201);
  const [first, second] = [await token(), await token()];
  expect(second.body.token).not.toBe(first.body.token);
  expect(await panel.database.getRepository(IdempotencyKey).countBy({ key: 'g' })).toBe(0);
});

it('keeps nothing that a password could be tried against without the secret key', async () => {
  const body = { name: 'hanna', password: PASSWORD, role: 'user' };
  await make('h', 'hanna').expect(201);
  const { bodyHash } = await panel.database.getRepository(IdempotencyKey).findOneByOrFail({ key: 'h' });
  for (const text of [JSON.stringify(body), `idempotency-key\0${JSON.stringify(body)}`, PASSWORD]) {
    expect(bodyHash.equals(createHash('sha256').update(text).digest())).toBe(false);
  }
  expect(bodyHash).toHaveLength(32);
});

describe('a request that queues a job', () => {
  const queue = (key: string, operation = 'start') =>
    panel.admin.post('/api/v1/servers/one/jobs').set('Idempotency-Key', key).send({ operation });
  const jobs = async () => (await panel.database.query<{ id: number }[]>('SELECT id FROM jobs ORDER BY id')).length;
  /** As a process leaves it that is killed before it has kept the answer. */
  const cutOff = (key: string) =>
    panel.database.getRepository(IdempotencyKey).update({ key }, { status: null, answer: null, location: null });

  beforeAll(async () => {
    const { body } = await panel.admin.post('/api/v1/blueprints').send({ name: 'one' }).expect(201);
    await panel.admin.post('/api/v1/servers').send({ name: 'one', blueprintId: body.id }).expect(201);
  });

  it('queues one, however often it is sent at once', async () => {
    const before = await jobs();
    const answers = await Promise.all(Array.from({ length: 8 }, () => queue('i')));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 202));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(await jobs()).toBe(before + 1);
  });

  it('that was cut off after its job was queued is answered with that job, also when the job has ended', async () => {
    const { body: first } = await queue('k').expect(202);
    await panel.admin.post(`/api/v1/jobs/${first.id}/cancel`).expect(202);
    const before = await jobs();
    await cutOff('k');
    const again = await queue('k').expect(202);
    expect(again.body).toMatchObject({ id: first.id, state: 'cancelled' });
    expect(again.get('Location')).toBe(`/api/v1/jobs/${first.id}`);
    expect(await jobs()).toBe(before);
    expect((await queue('k').expect(202)).get('Idempotency-Replayed')).toBe('true');
  });

  it('that was cut off before is carried out when it is sent again', async () => {
    const { body: first } = await queue('l').expect(202);
    await panel.database.query('DELETE FROM jobs WHERE id = $1', [first.id]);
    await cutOff('l');
    const before = await jobs();
    await queue('l').expect(202);
    expect(await jobs()).toBe(before + 1);
  });

  it('is refused with another body, cut off or not', async () => {
    await queue('m').expect(202);
    await cutOff('m');
    await queue('m', 'stop').expect(409);
  });
});
