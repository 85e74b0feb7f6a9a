import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Agent } from './app.js';
import { freePort } from './free-port.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

const OVERLAYS = '/api/v1/overlays';
const BLUEPRINTS = '/api/v1/blueprints';

let panel: QueuePanel;
let anna: Agent;
let ben: Agent;
const ids = { catalog: 0, annas: 0, bens: 0 };
beforeAll(async () => {
  panel = await startQueue();
  [anna, ben] = [await panel.user('anna'), await panel.user('ben')];
  ids.catalog = await overlay(panel.admin, 'shared', { catalog: true });
  ids.annas = await overlay(anna, 'of anna');
  ids.bens = await overlay(ben, 'of ben');
});
afterAll(() => panel.close());

/** Published, with a server.cfg that tells its name. */
async function overlay(agent: Agent, name: string, more: object = {}): Promise<number> {
  const { body } = await agent
    .post(OVERLAYS)
    .send({ name, ...more })
    .expect(201);
  const build = await agent.post(`${OVERLAYS}/${body.id}/builds`).expect(202);
  expect(await panel.ended(build.body.id)).toMatchObject({ state: 'succeeded' });
  // The stand-in publishes nothing.
  const path = join(panel.settings.root, 'overlays', String(body.id), '1/left4dead2/cfg/server.cfg');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `echo confidential ${name}\n`);
  return body.id;
}

const places = (...overlayIds: number[]) => overlayIds.map((overlayId) => ({ overlayId, exposeServerCfg: true }));
const blueprint = async (agent: Agent, name: string, ...overlayIds: number[]): Promise<number> =>
  (
    await agent
      .post(BLUEPRINTS)
      .send({ name, overlays: places(...overlayIds) })
      .expect(201)
  ).body.id;
const server = async (agent: Agent, name: string, blueprintId: number): Promise<void> => {
  await agent
    .post('/api/v1/servers')
    .send({ name, blueprintId, port: await freePort() })
    .expect(201);
};
const preview = async (agent: Agent, name: string) =>
  (await agent.get(`/api/v1/servers/${name}/preview`).expect(200)).body;
const run = async (agent: Agent, name: string, operation: string) => {
  const { body } = await agent.post(`/api/v1/servers/${name}/jobs`).send({ operation }).expect(202);
  return panel.ended(body.id);
};
const setRole = async (name: string, role: 'user' | 'admin'): Promise<void> => {
  const { body } = await panel.admin.get('/api/v1/users').expect(200);
  const { id } = body.items.find((user: { name: string }) => user.name === name);
  await panel.admin.patch(`/api/v1/users/${id}`).send({ role }).expect(200);
};

it('a blueprint has overlays of the catalog, which admins make, and its owner’s own, and nobody else’s', async () => {
  await anna.post(OVERLAYS).send({ name: 'x', catalog: true }).expect(403);
  await anna.post(`${OVERLAYS}/${ids.catalog}/builds`).expect(403);
  await anna.patch(`${OVERLAYS}/${ids.catalog}`).send({ name: 'mine' }).expect(403);
  await anna.get(`${OVERLAYS}/${ids.catalog}`).expect(200);
  await anna.get(`${OVERLAYS}/${ids.bens}`).expect(404);
  await anna.post(`${OVERLAYS}/${ids.bens}/builds`).expect(404);

  await server(anna, 'annas', await blueprint(anna, 'both', ids.annas, ids.catalog));
  expect(await run(anna, 'annas', 'initialize')).toMatchObject({ state: 'succeeded' });
  const shown = JSON.stringify(await preview(anna, 'annas'));
  expect(shown).toContain('confidential shared');
  expect(shown).toContain('confidential of anna');

  const overlays = places(ids.annas, ids.bens);
  for (const path of [BLUEPRINTS, `${BLUEPRINTS}/preview`]) {
    const body = path === BLUEPRINTS ? { name: 'with bens', overlays } : { overlays };
    const refused = await anna.post(path).send(body).expect(400);
    expect(refused.body.errors).toEqual([{ path: 'overlays.1.overlayId', message: `there is no overlay ${ids.bens}` }]);
  }
  await blueprint(panel.admin, 'of everybody', ids.annas, ids.bens, ids.catalog);
});

it('who was an admin sees nothing more of others’ overlays; servers run on, and start again without them', async () => {
  await panel.user('carl');
  await setRole('carl', 'admin');
  const carl = await panel.logIn('carl');
  const id = await blueprint(carl, 'of carl', ids.bens, ids.catalog);
  await server(carl, 'carls', id);
  expect(await run(carl, 'carls', 'start')).toMatchObject({ state: 'succeeded' });
  expect(JSON.stringify(await preview(carl, 'carls'))).toContain('confidential of ben');

  await setRole('carl', 'user');
  await panel.logIn('carl');
  const usable = async () =>
    (await carl.get(`${BLUEPRINTS}/${id}`).expect(200)).body.overlays.map((one: { name: string; usable: boolean }) => [
      one.name,
      one.usable,
    ]);
  expect(await usable()).toEqual([
    ['of ben', false],
    ['shared', true],
  ]);
  for (const agent of [carl, panel.admin]) {
    const shown = await preview(agent, 'carls');
    expect(JSON.stringify(shown)).not.toContain('confidential of ben');
    expect(JSON.stringify(shown)).toContain('confidential shared');
    expect(shown.warnings).toEqual([
      "The overlay of ben is somebody else's, and the blueprint's owner may not use it any more: take it out.",
    ]);
  }
  const unsaved = await carl.post(`${BLUEPRINTS}/preview`).send({ blueprintId: id }).expect(400);
  expect(unsaved.body.errors).toMatchObject([{ path: 'overlays.0.overlayId' }]);

  const failed = await run(carl, 'carls', 'restart');
  const why = 'The blueprint of carl has the overlay of ben, which its owner may not use any more: take it out.';
  expect(failed).toMatchObject({ state: 'failed', error: why });
  expect(panel.host.begun).not.toContain('stop carls');
  expect((await carl.get('/api/v1/servers/carls')).body).toMatchObject({
    actualState: 'running',
    lastError: `restart failed: ${why}`,
  });

  await carl.patch(`${BLUEPRINTS}/${id}`).send({ config: 'sv_tags x' }).expect(200);
  await carl
    .patch(`${BLUEPRINTS}/${id}`)
    .send({ overlays: places(ids.bens) })
    .expect(400);
  await setRole('carl', 'admin');
  expect(await usable()).toEqual([
    ['of ben', true],
    ['shared', true],
  ]);
  await setRole('carl', 'user');
  await carl
    .patch(`${BLUEPRINTS}/${id}`)
    .send({ overlays: places(ids.catalog) })
    .expect(200);
  expect(await run(carl, 'carls', 'restart')).toMatchObject({ state: 'succeeded' });
});
