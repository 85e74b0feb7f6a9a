import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, PASSWORD, startApp, type TestApp } from './app.js';
import { eventually } from './eventually.js';
import { LiveClient } from './live-client.js';

let panel: TestApp;
let guest: Agent;
beforeAll(async () => {
  panel = await startApp();
  guest = await panel.user('guest');
});
afterAll(() => panel.close());

/** Makes a server of somebody's, on a blueprint of theirs. */
async function server(owner: Agent, name: string): Promise<number> {
  const { body: blueprint } = await owner
    .post('/api/v1/blueprints')
    .send({ name: `for-${name}` })
    .expect(201);
  return (await owner.post('/api/v1/servers').send({ name, blueprintId: blueprint.id }).expect(201)).body.id;
}

/** Somebody's console, by a token of theirs. */
async function live(agent: Agent, more: object = {}): Promise<LiveClient> {
  const wanted = { name: 'live', scopes: ['read'], ...more };
  const { body } = await agent.post('/api/v1/tokens').send(wanted).expect(201);
  return LiveClient.open(panel.url, { authorization: `Bearer ${body.token}` });
}

describe('a list', () => {
  it('tells nothing of what others have: neither that it changed nor that it is gone', async () => {
    const own = await server(guest, 'own');
    const busy = await server(guest, 'busy');
    const foreign = await server(panel.admin, 'foreign');
    const client = await live(guest);
    const lists = ['servers', 'jobs', 'overlays', 'hosts'];
    for (const list of lists) client.subscribe(list);
    await eventually('it is subscribed', () => lists.every((list) => client.of('subscribed', list).length === 1));

    await panel.admin.patch(`/api/v1/servers/${foreign}`).send({ title: 'x' }).expect(200);
    await panel.admin.post(`/api/v1/servers/${foreign}/jobs`).send({ operation: 'initialize' }).expect(202);
    const { body: overlay } = await panel.admin.post('/api/v1/overlays').send({ name: 'private' }).expect(201);
    await panel.admin.delete(`/api/v1/overlays/${overlay.id}`).expect(204);
    await server(panel.admin, 'foreign-too');
    await panel.admin.delete('/api/v1/servers/foreign-too').expect(204);

    // What they saw before it began, and what they were sent, they are told of; each list tells in order.
    const later = await server(guest, 'later');
    const queued = await guest.post(`/api/v1/servers/${busy}/jobs`).send({ operation: 'initialize' }).expect(202);
    const made = await guest.post('/api/v1/overlays').send({ name: 'of their own' }).expect(201);
    const theirs = [`servers ${busy}`, `servers ${later}`, `jobs ${queued.body.id}`, `overlays ${made.body.id}`];
    const told = () => lists.flatMap((list) => client.of('changed', list).map(({ item }) => `${list} ${item.id}`));
    await eventually('their own', () => theirs.every((one) => told().includes(one)));
    expect(new Set(told())).toEqual(new Set(theirs));
    expect(lists.flatMap((list) => client.of('removed', list))).toEqual([]);
    await guest.delete(`/api/v1/servers/${own}`).expect(204);
    await guest.delete(`/api/v1/servers/${later}`).expect(204);
    await eventually('both are gone', () => client.of('removed', 'servers').length === 2);
    expect(client.of('removed', 'servers').map(({ id }) => id)).toEqual([own, later]);
    client.cut();
  });
});

describe('a connection ends at once', () => {
  /** Somebody new with a session, whose cookie the console uses too. */
  async function person(name: string, role: 'admin' | 'user') {
    const made = await panel.admin.post('/api/v1/users').send({ name, password: PASSWORD, role }).expect(201);
    const login = await supertest(panel.url).post('/api/v1/auth/login').send({ username: name, password: PASSWORD });
    const cookie = login.get('Set-Cookie')?.[0]?.split(';')[0] ?? '';
    return { id: Number(made.body.id), cookie, client: await LiveClient.open(panel.url, { cookie }) };
  }
  const closed = async (client: LiveClient, code: number) => {
    // Before the panel would look by itself, 30 s after it was opened.
    await eventually('it is closed', () => client.closed !== null, 15);
    expect(client.closed).toBe(code);
  };
  const change = (id: number, body: object) => panel.admin.patch(`/api/v1/users/${id}`).send(body).expect(200);

  it("to come back with a user's rights, when an admin is made one", async () => {
    const { id, cookie, client } = await person('former-admin', 'admin');
    const bystander = await live(guest);
    await change(id, { role: 'user' });
    await closed(client, 1012);
    const again = await LiveClient.open(panel.url, { cookie });
    again.subscribe('servers');
    await eventually('it is subscribed', () => again.of('subscribed', 'servers').length === 1);
    await server(panel.admin, 'admins-own');
    const own = await server(supertest.agent(panel.url).set('Cookie', cookie), 'own-again');
    await eventually('their own', () => again.of('changed', 'servers').length > 0);
    expect(new Set(again.of('changed', 'servers').map(({ item }) => item.id))).toEqual(new Set([own]));
    expect(bystander.closed).toBeNull();
    again.cut();
    bystander.cut();
  });

  it('for good, when the user is disabled, logs out or gets another password', async () => {
    const disabled = await person('disabled', 'user');
    await change(disabled.id, { disabled: true });
    await closed(disabled.client, 4401);
    const leaving = await person('leaving', 'user');
    await panel.anonymous.post('/api/v1/auth/logout').set('Cookie', leaving.cookie).expect(204);
    await closed(leaving.client, 4401);
    const reset = await person('reset', 'user');
    await change(reset.id, { password: `${PASSWORD}!` });
    await closed(reset.client, 4401);
  });

  it('for good, when its token is revoked', async () => {
    const { body } = await guest
      .post('/api/v1/tokens')
      .send({ name: 'bot', scopes: ['read'] })
      .expect(201);
    const bot = await LiveClient.open(panel.url, { authorization: `Bearer ${body.token}` });
    const other = await live(guest);
    await guest.delete(`/api/v1/tokens/${body.id}`).expect(204);
    await closed(bot, 4401);
    expect(other.closed).toBeNull();
    other.cut();
  });
});
