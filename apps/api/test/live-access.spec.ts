import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, startApp, type TestApp } from './app.js';
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
    await sleep(500);
    expect(client.frames.map(({ frame }) => frame.type)).toEqual(lists.map(() => 'subscribed'));

    // What they saw before it began, and what they were sent, they are told of.
    const later = await server(guest, 'later');
    await eventually('the new one', () => client.of('changed', 'servers').some(({ item }) => item.id === later));
    await guest.delete(`/api/v1/servers/${own}`).expect(204);
    await guest.delete(`/api/v1/servers/${later}`).expect(204);
    await eventually('both are gone', () => client.of('removed', 'servers').length === 2);
    expect(client.of('removed', 'servers').map(({ id }) => id)).toEqual([own, later]);
    client.cut();
  });
});
