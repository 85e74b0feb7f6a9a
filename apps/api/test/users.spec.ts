import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createUser } from '../src/commands/create-user.js';
import { PASSWORD, startApp, type TestApp } from './app.js';

const USERS = '/api/v1/users';
const MAX_ID = 2_147_483_647;

let panel: TestApp;
beforeAll(async () => {
  panel = await startApp();
});
afterAll(() => panel.close());

const idOf = async (name: string): Promise<number> => {
  const { body } = await panel.admin.get(USERS);
  return body.items.find((user: { name: string }) => user.name === name).id;
};

describe('users', () => {
  it('are for admins only', async () => {
    const user = await panel.user();
    await panel.anonymous.get(USERS).expect(401);
    await user.get(USERS).expect(403);
    await user.post(USERS).send({ name: 'x', password: PASSWORD, role: 'admin' }).expect(403);
  });

  it('are created, and may log in', async () => {
    const { body } = await panel.admin.post(USERS).send({ name: 'Anna', password: PASSWORD, role: 'user' }).expect(201);
    expect(body).toMatchObject({ name: 'Anna', role: 'user', disabled: false, lastLoginAt: null });
    await panel.logIn('anna');
  });

  it('have a name of their own, whatever its case', async () => {
    await panel.admin.post(USERS).send({ name: 'Bert', password: PASSWORD, role: 'user' }).expect(201);
    const { body } = await panel.admin.post(USERS).send({ name: 'bERT', password: PASSWORD, role: 'user' }).expect(409);
    expect(body.detail).toBe('There is already a user named Bert.');
    const racers = ['Carl', 'carl', 'CARL'].map((name) =>
      panel.admin.post(USERS).send({ name, password: PASSWORD, role: 'user' }),
    );
    const statuses = (await Promise.all(racers)).map((answer) => answer.status);
    expect(statuses.sort()).toEqual([201, 409, 409]);
  });

  it('are refused with every wrong field named', async () => {
    const { body } = await panel.admin
      .post(USERS)
      .send({ name: '-x', password: 'short', role: 'king', admin: true })
      .expect(400);
    expect(body.errors.map((error: { path: string }) => error.path).sort()).toEqual([
      'admin',
      'name',
      'password',
      'role',
    ]);
    const long = await panel.admin
      .post(USERS)
      .send({ name: 'x'.repeat(33), password: 'y'.repeat(257), role: 'user' })
      .expect(400);
    expect(long.body.errors).toHaveLength(2);
    await panel.admin
      .patch(`${USERS}/${await idOf('admin')}`)
      .send({ role: null, disabled: null, password: null })
      .expect(400);
  });

  it('are listed newest first, in pages', async () => {
    const first = await panel.admin.get(USERS).query({ limit: 2 }).expect(200);
    expect(first.body.items).toHaveLength(2);
    const second = await panel.admin.get(USERS).query({ limit: 2, cursor: first.body.nextCursor }).expect(200);
    expect(second.body.items[0].id).toBeLessThan(first.body.items[1].id);
    await panel.admin.get(USERS).query({ limit: 0 }).expect(400);
    await panel.admin.get(USERS).query({ cursor: '99999999999' }).expect(400);
  });

  it('that do not exist are 404, whatever the id looks like', async () => {
    for (const id of [MAX_ID, MAX_ID + 1, '99999999999999999999', 'abc', '-1', '0', '1.5', '%00']) {
      await panel.admin.patch(`${USERS}/${id}`).send({ disabled: true }).expect(404);
    }
  });

  it('are logged out everywhere when disabled or given a password, and tokens stop', async () => {
    const user = await panel.user('dora');
    const { body } = await user
      .post('/api/v1/tokens')
      .send({ name: 't', scopes: ['read'] })
      .expect(201);
    const byToken = () => panel.anonymous.get('/api/v1/auth/me').set('Authorization', `Bearer ${body.token}`);
    await byToken().expect(200);
    const id = await idOf('dora');
    await panel.admin.patch(`${USERS}/${id}`).send({ password: 'another password' }).expect(200);
    await user.get('/api/v1/auth/me').expect(401);
    await byToken().expect(200);
    await panel.admin.patch(`${USERS}/${id}`).send({ disabled: true }).expect(200);
    await byToken().expect(401);
  });
});

describe('the last admin', () => {
  it('can be neither disabled nor demoted, also by two at the same time', async () => {
    const id = await idOf('admin');
    await panel.admin.patch(`${USERS}/${id}`).send({ disabled: true }).expect(409);
    await panel.admin.patch(`${USERS}/${id}`).send({ role: 'user' }).expect(409);
    const other = await panel.user('emil', 'admin');
    const both = await Promise.all([
      panel.admin.patch(`${USERS}/${await idOf('emil')}`).send({ role: 'user' }),
      other.patch(`${USERS}/${id}`).send({ disabled: true }),
    ]);
    expect(both.map((answer) => answer.status).sort()).toEqual([200, 409]);
  });
});

describe('create-user', () => {
  it('makes an admin and refuses a missing or short password by the name of the variable', async () => {
    const make = (name: string, password: string | null) => createUser(panel.database, { name, admin: true, password });
    expect(await make('fritz', 'long enough')).toMatchObject({ name: 'fritz', role: 'admin' });
    await panel.logIn('fritz', 'long enough');
    await expect(make('gerd', null)).rejects.toThrow('LEFT4ME_ADMIN_PASSWORD: is not set');
    await expect(make('gerd', 'short')).rejects.toThrow('LEFT4ME_ADMIN_PASSWORD: must have 8 to 256 characters');
    await expect(make('FRITZ', 'long enough')).rejects.toThrow('already a user named fritz');
    await expect(make('no spaces', 'long enough')).rejects.toThrow('name: must be');
  });
});
