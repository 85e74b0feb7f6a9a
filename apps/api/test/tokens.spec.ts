import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Blueprint } from '../src/blueprints/blueprint.entity.js';
import { HostRow } from '../src/hosts/host.entity.js';
import { Server } from '../src/servers/server.entity.js';
import { Token } from '../src/tokens/token.entity.js';
import { User } from '../src/users/user.entity.js';
import { type Agent, startApp, type TestApp } from './app.js';

const TOKENS = '/api/v1/tokens';
const ME = '/api/v1/auth/me';

let panel: TestApp;
let anna: Agent;
beforeAll(async () => {
  panel = await startApp();
  anna = await panel.user('anna');
});
afterAll(() => panel.close());

const as = (token: string, path: string) => panel.anonymous.get(path).set('Authorization', `Bearer ${token}`);
const make = async (agent: Agent, body: object): Promise<{ id: number; token: string }> =>
  (
    await agent
      .post(TOKENS)
      .send({ name: 'bot', scopes: ['read'], ...body })
      .expect(201)
  ).body;

describe('tokens', () => {
  it('show their secret once and keep only its hash', async () => {
    const { body } = await anna
      .post(TOKENS)
      .send({ name: 'bot', scopes: ['read', 'operate'] })
      .expect(201);
    expect(body.token).toMatch(/^l4m_[\w-]{43}$/);
    expect(body).toMatchObject({
      name: 'bot',
      scopes: ['read', 'operate'],
      serverIds: null,
      expiresAt: null,
      lastUsedAt: null,
    });
    const { body: list } = await anna.get(TOKENS).expect(200);
    expect(JSON.stringify(list)).not.toContain(body.token);
    const row = await panel.database.getRepository(Token).findOneByOrFail({ id: body.id });
    expect(row.secretHash).toHaveLength(32);
    expect((await as(body.token, ME).expect(200)).body.name).toBe('anna');
  });

  it('reach only what their scopes name', async () => {
    const { token } = await make(anna, { scopes: ['operate'] });
    const { body } = await as(token, ME).expect(403);
    expect(body.detail).toBe('This needs a token with the scope "read".');
  });

  it('cannot make tokens, change passwords or manage users', async () => {
    const { token } = await make(panel.admin, { scopes: ['read', 'operate', 'manage'] });
    const post = (path: string) => panel.anonymous.post(path).set('Authorization', `Bearer ${token}`);
    const { body } = await post(TOKENS)
      .send({ name: 'x', scopes: ['read'] })
      .expect(403);
    expect(body.detail).toBe('Tokens cannot do this; log in with a password.');
    await post('/api/v1/users').send({}).expect(403);
    await as(token, '/api/v1/users').expect(403);
    await panel.anonymous.put('/api/v1/auth/me/password').set('Authorization', `Bearer ${token}`).send({}).expect(403);
  });

  it('are refused when they are wrong, expired or revoked', async () => {
    for (const header of ['Bearer', 'Bearer l4m_short', `Bearer l4m_${'x'.repeat(43)}`, 'Basic YTpi', '']) {
      const answer = await panel.anonymous.get(ME).set('Authorization', header).expect(401);
      expect(answer.get('WWW-Authenticate')).toContain('Bearer');
    }
    const expiring = await make(anna, { expiresAt: new Date(Date.now() + 60_000).toISOString() });
    await as(expiring.token, ME).expect(200);
    await panel.database.getRepository(Token).update({ id: expiring.id }, { expiresAt: new Date(Date.now() - 1) });
    await as(expiring.token, ME).expect(401);
    const revoked = await make(anna, {});
    await anna.delete(`${TOKENS}/${revoked.id}`).expect(204);
    await as(revoked.token, ME).expect(401);
  });

  it('of somebody else are 404', async () => {
    const { id } = await make(anna, {});
    await panel.admin.delete(`${TOKENS}/${id}`).expect(404);
    await anna.delete(`${TOKENS}/2147483647`).expect(404);
    await anna.delete(`${TOKENS}/0x10`).expect(404);
    expect((await panel.admin.get(TOKENS)).body.items.map((token: { id: number }) => token.id)).not.toContain(id);
  });

  it('say when they were last used, to the minute', async () => {
    const { id, token } = await make(anna, {});
    const row = () => panel.database.getRepository(Token).findOneByOrFail({ id });
    await as(token, ME);
    const first = (await row()).lastUsedAt;
    expect(first).not.toBeNull();
    await as(token, ME);
    expect((await row()).lastUsedAt).toEqual(first);
    await panel.database.getRepository(Token).update({ id }, { lastUsedAt: new Date(Date.now() - 61_000) });
    await as(token, ME);
    expect((await row()).lastUsedAt?.getTime()).toBeGreaterThan(Date.now() - 10_000);
  });

  it('are refused with every wrong field named', async () => {
    const { body } = await anna
      .post(TOKENS)
      .send({ name: '', scopes: ['read', 'root'], serverIds: [1, 'x'], expiresAt: 'tomorrow' })
      .expect(400);
    expect(body.errors.map((error: { path: string }) => error.path).sort()).toEqual([
      'expiresAt',
      'name',
      'scopes',
      'serverIds',
    ]);
    const past = await anna
      .post(TOKENS)
      .send({ name: 'x', scopes: ['read'], expiresAt: '2001-01-01T00:00:00Z' })
      .expect(400);
    expect(past.body.errors).toEqual([{ path: 'expiresAt', message: 'must be in the future' }]);
    await anna.post(TOKENS).send({ name: 'x', scopes: [] }).expect(400);
  });
});

describe('a server list', () => {
  it('may only name servers that one sees, and says which one not', async () => {
    const id = await server('annas', 27015, 'anna');
    const ben = await panel.user('ben');
    await make(anna, { serverIds: [id] });
    const { body } = await ben
      .post(TOKENS)
      .send({ name: 'x', scopes: ['read'], serverIds: [id] })
      .expect(400);
    expect(body.errors).toEqual([{ path: 'serverIds.0', message: `there is no server ${id}` }]);
    const unknown = await panel.admin
      .post(TOKENS)
      .send({ name: 'x', scopes: ['read'], serverIds: [id, 99_999] })
      .expect(400);
    expect(unknown.body.errors[0].path).toBe('serverIds.1');
  });
});

async function server(name: string, port: number, ownerName: string): Promise<number> {
  const save = panel.database.manager;
  const owner = await save.findOneByOrFail(User, { name: ownerName });
  const host =
    (await save.findOneBy(HostRow, { name: 'local' })) ?? (await save.save(save.create(HostRow, { name: 'local' })));
  const blueprint = await save.save(save.create(Blueprint, { name, ownerId: owner.id }));
  const row = save.create(Server, {
    name,
    title: name,
    port,
    hostId: host.id,
    blueprintId: blueprint.id,
    ownerId: owner.id,
    rconPassword: Buffer.alloc(1),
  });
  return (await save.save(row)).id;
}
