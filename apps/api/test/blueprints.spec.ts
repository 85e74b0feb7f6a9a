import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningSettings } from '../src/config/settings.js';
import { listenAtSocket } from '../src/server-files/files-socket.js';
import { HiddenPaths } from '../src/servers/hidden-paths.js';
import { type Agent, startApp, type TestApp } from './app.js';

let panel: TestApp;
let anna: Agent;
let ben: Agent;
beforeAll(async () => {
  panel = await startApp();
  await panel.database.query(`INSERT INTO hosts (name) VALUES ('local') ON CONFLICT DO NOTHING`);
  [anna, ben] = [await panel.user('anna'), await panel.user('ben')];
});
afterAll(() => panel.close());

const URL = '/api/v1/blueprints';
let count = 0;
const fresh = (prefix: string) => `${prefix}-${(count += 1)}`;
const blueprint = async (agent: Agent, body: object = {}) =>
  (
    await agent
      .post(URL)
      .send({ name: fresh('blueprint'), ...body })
      .expect(201)
  ).body;
const overlay = async (agent: Agent, body: object = {}) =>
  (
    await agent
      .post('/api/v1/overlays')
      .send({ name: fresh('overlay'), ...body })
      .expect(201)
  ).body;
const errorsOf = (response: { body: { errors?: { path: string; message: string }[] } }) => response.body.errors ?? [];
/** Everything the blueprints' tables hold: refused requests must not change it. */
const stored = () =>
  panel.database.query(
    `SELECT (SELECT json_agg(b ORDER BY id) FROM blueprints b) AS blueprints,
       (SELECT json_agg(o ORDER BY blueprint_id, position) FROM blueprint_overlays o) AS overlays`,
  );

describe('a blueprint', () => {
  it('is made, read, listed newest first, changed and deleted', async () => {
    const catalog = await overlay(panel.admin, { catalog: true });
    const own = await overlay(anna);
    const made = await blueprint(anna, {
      description: 'for friday\nevenings',
      overlays: [{ overlayId: own.id, exposeServerCfg: true }, { overlayId: catalog.id }],
      arguments: ['+map', 'c1m1_hotel', 'versus'],
      config: 'hostname "{{title}}"\r\nsv_region 3\n',
      files: [{ path: 'left4dead2/motd.txt', content: 'Hallo Zoë\r\n{{title}}' }],
      hide: ['left4dead2/addons/x.vpk'],
    });
    expect(made).toEqual({
      id: expect.any(Number),
      name: made.name,
      description: 'for friday\nevenings',
      ownerId: expect.any(Number),
      ownerName: 'anna',
      overlays: [
        { overlayId: own.id, name: own.name, exposeServerCfg: true, revision: null, usable: true },
        { overlayId: catalog.id, name: catalog.name, exposeServerCfg: false, revision: null, usable: true },
      ],
      arguments: ['+map', 'c1m1_hotel', 'versus'],
      config: 'hostname "{{title}}"\nsv_region 3\n',
      files: [{ path: 'left4dead2/motd.txt', content: 'Hallo Zoë\n{{title}}' }],
      hide: ['left4dead2/addons/x.vpk'],
      servers: [],
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    const second = await blueprint(anna);
    const list = await anna.get(`${URL}?limit=2`).expect(200);
    expect(list.body.items.map(({ id }: { id: number }) => id)).toEqual([second.id, made.id]);

    const changed = await anna
      .patch(`${URL}/${made.id}`)
      .send({ overlays: [{ overlayId: catalog.id }, { overlayId: own.id }] })
      .expect(200);
    expect(changed.body).toMatchObject({ name: made.name, arguments: made.arguments, config: made.config });
    expect(changed.body).toMatchObject({ files: made.files, hide: made.hide });
    expect(changed.body.overlays.map(({ overlayId }: { overlayId: number }) => overlayId)).toEqual([
      catalog.id,
      own.id,
    ]);
    expect(Date.parse(changed.body.updatedAt)).toBeGreaterThan(Date.parse(made.updatedAt));

    await anna.delete(`${URL}/${made.id}`).expect(204);
    await anna.get(`${URL}/${made.id}`).expect(404);
  });

  it('goes on to the next page', async () => {
    const made = [await blueprint(ben), await blueprint(ben), await blueprint(ben)].map(({ id }) => id);
    const first = await ben.get(`${URL}?limit=2`).expect(200);
    const second = await ben.get(`${URL}?limit=2&cursor=${first.body.nextCursor}`).expect(200);
    expect([...first.body.items, ...second.body.items].map(({ id }) => id)).toEqual(made.toReversed());
    expect(second.body.nextCursor).toBeNull();
  });

  it('is its owner’s and the admins’', async () => {
    const made = await blueprint(anna);
    const before = await stored();
    await ben.get(`${URL}/${made.id}`).expect(404);
    await ben.patch(`${URL}/${made.id}`).send({ name: 'mine' }).expect(404);
    await ben.delete(`${URL}/${made.id}`).expect(404);
    await panel.anonymous.get(`${URL}/${made.id}`).expect(401);
    await panel.anonymous.post(URL).send({ name: 'x' }).expect(401);
    expect(await stored()).toEqual(before);
    expect((await ben.get(URL)).body.items.map(({ id }: { id: number }) => id)).not.toContain(made.id);
    await panel.admin.patch(`${URL}/${made.id}`).send({ description: 'seen' }).expect(200);
    await panel.admin.delete(`${URL}/${made.id}`).expect(204);
  });

  it('has a name that its owner has not given before', async () => {
    const made = await blueprint(anna);
    const refused = await anna.post(URL).send({ name: made.name }).expect(409);
    expect(refused.body.detail).toContain(made.name);
    await ben.post(URL).send({ name: made.name }).expect(201);
    const other = await blueprint(anna);
    await anna.patch(`${URL}/${other.id}`).send({ name: made.name }).expect(409);
    expect((await anna.get(`${URL}/${other.id}`)).body.name).toBe(other.name);
  });

  it('cannot be deleted while servers are made from it', async () => {
    const made = await blueprint(anna);
    for (const name of ['friday', 'sunday']) {
      await anna.post('/api/v1/servers').send({ name, blueprintId: made.id }).expect(201);
    }
    const refused = await anna.delete(`${URL}/${made.id}`).expect(409);
    expect(refused.body.detail).toContain('friday, sunday');
    expect(
      (await anna.get(`${URL}/${made.id}`).expect(200)).body.servers.map(({ name }: { name: string }) => name),
    ).toEqual(['friday', 'sunday']);
    const foreign = await blueprint(ben);
    await panel.admin.post('/api/v1/servers').send({ name: 'of-admin', blueprintId: foreign.id }).expect(201);
    const untold = await ben.delete(`${URL}/${foreign.id}`).expect(409);
    expect(untold.body.detail).toContain('1 of somebody else');
    expect(untold.body.detail).not.toContain('of-admin');
  });

  it('uses overlays its owner may see, each once', async () => {
    const [foreign, catalog] = [await overlay(ben), await overlay(panel.admin, { catalog: true })];
    const made = await blueprint(anna, { overlays: [{ overlayId: catalog.id }] });
    const before = await stored();
    for (const agent of [anna, panel.admin]) {
      const refused = await agent
        .patch(`${URL}/${made.id}`)
        .send({ overlays: [{ overlayId: catalog.id }, { overlayId: foreign.id }, { overlayId: 2_000_000_000 }] })
        .expect(400);
      expect(errorsOf(refused).map(({ path }) => path)).toEqual(['overlays.1.overlayId', 'overlays.2.overlayId']);
    }
    const twice = await anna
      .post(URL)
      .send({ name: fresh('b'), overlays: [{ overlayId: catalog.id }, { overlayId: catalog.id }] })
      .expect(400);
    expect(errorsOf(twice)).toEqual([{ path: 'overlays.1.overlayId', message: `${catalog.name} is there already` }]);
    expect(await stored()).toEqual(before);
  });

  it('hides nothing that it writes, whichever of the two is changed', async () => {
    const files = [{ path: 'left4dead2/maps/a.txt', content: '' }];
    const made = await blueprint(anna, { files, hide: ['b'] });
    for (const change of [{ hide: ['left4dead2/maps'] }, { files: [{ path: 'b/c', content: '' }] }]) {
      const refused = await anna.patch(`${URL}/${made.id}`).send(change).expect(400);
      expect(errorsOf(refused)).toEqual([{ path: 'hide.0', message: expect.stringContaining('cannot be hidden') }]);
    }
    await anna
      .patch(`${URL}/${made.id}`)
      .send({ files: [], hide: ['left4dead2/maps'] })
      .expect(200);
  });

  it('lists the variables', async () => {
    const { body } = await anna.get(`${URL}/variables`).expect(200);
    expect(body.items.map(({ name }: { name: string }) => name)).toEqual([
      'name',
      'title',
      'port',
      'tvPort',
      'rconPassword',
    ]);
  });
});

describe('the preview of hidden paths', () => {
  it('says when nobody can be asked whether they hide something', async () => {
    const sql = (text: string) => panel.database.query(text);
    const unknown = 'Whether there is something at the hidden paths is not known: ';
    const shown = async (body: object = {}) =>
      (
        await anna
          .post(`${URL}/preview`)
          .send({ hide: ['left4dead2/x'], ...body })
          .expect(200)
      ).body.warnings;
    expect(await shown()).toEqual([expect.stringContaining('install the game first')]);
    await sql(`INSERT INTO hosts (name) VALUES ('cellar')`);
    await sql(`INSERT INTO runtime_builds (host_id, build, demo, current, installed_at)
               SELECT id, 'test-1', true, true, now() FROM hosts`);
    expect(await shown()).toEqual([expect.stringContaining(`${unknown}The host's worker is not running`)]);
    const hidden = panel.app.get(HiddenPaths, { strict: false });
    const { limitMs } = hidden;
    const worker = createServer();
    await listenAtSocket(worker, panel.app.get(RunningSettings).root);
    try {
      hidden.limitMs = 200;
      expect(await shown()).toEqual([`${unknown}the host's worker did not answer in time.`]);
      hidden.limitMs = limitMs;
      // One of before an upgrade does not know the question.
      worker.on('request', (_request, response) => response.writeHead(404).end());
      expect(await shown()).toEqual([`${unknown}the host's worker could not look. The panel's log says why.`]);
    } finally {
      hidden.limitMs = limitMs;
      worker.close();
    }
    const { id: blueprintId } = await blueprint(anna);
    const server = { name: 'far', blueprintId, hostId: 'cellar' };
    const { body: made } = await anna.post('/api/v1/servers').send(server).expect(201);
    expect(await shown({ serverId: made.id })).toEqual([`${unknown}the game is on the host cellar.`]);
  });
});

describe('bad input', () => {
  it.each<[string, object, string, RegExp]>([
    ['no name', { name: undefined }, 'name', /missing/],
    ['an empty name', { name: '' }, 'name', /longer/],
    ['a name with a line break', { name: 'a\nb' }, 'name', /control characters/],
    ['a name with NUL', { name: 'a\0b' }, 'name', /control characters/],
    ['a long name', { name: 'x'.repeat(65) }, 'name', /64/],
    ['a name that is null', { name: null }, 'name', /string/],
    ['a description that is null', { description: null }, 'description', /string/],
    ['an unknown field', { nmae: 'x' }, 'nmae', /not a field/],
    ['overlays that are no list', { overlays: {} }, 'overlays', /array|missing/],
    ['an overlay without an id', { overlays: [{}] }, 'overlays.0.overlayId', /missing/],
    ['an unknown field of an overlay', { overlays: [{ overlayId: 1, x: 1 }] }, 'overlays.0.x', /not a field/],
    ['an argument that is no text', { arguments: [1] }, 'arguments', /string/],
    ['an argument with a newline', { arguments: ['a', 'b\nc'] }, 'arguments.1', /line break/],
    ['an argument with NUL', { arguments: ['a\0'] }, 'arguments.0', /NUL/],
    ['the port', { arguments: ['+map', 'x', '-port', '1'] }, 'arguments.2', /-port is set by the server's port/],
    ['the port, in capitals', { arguments: ['-PORT'] }, 'arguments.0', /server's port/],
    ['the port, with its value', { arguments: ['-port=27016'] }, 'arguments.0', /server's port/],
    ['the RCON password', { arguments: ['+rcon_password', 'x'] }, 'arguments.0', /rconPassword/],
    ['a program', { arguments: ['-binary', './x'] }, 'arguments.0', /something else/],
    ['a secret in an argument', { arguments: ['{{rconPassword}}'] }, 'arguments.0', /secret/],
    ['an unknown variable in an argument', { arguments: ['{{nope}}'] }, 'arguments.0', /\{\{nope\}\}/],
    [
      'an unknown variable in server.cfg',
      { config: 'a\n\nx {{secret.A}}' },
      'config',
      /line 3, column 3.*secret named A/,
    ],
    ['files that are no list', { files: {} }, 'files', /array|missing/],
    ['a file without content', { files: [{ path: 'a' }] }, 'files.0.content', /missing/],
    ['a file with a mode', { files: [{ path: 'a', content: '', mode: 7 }] }, 'files.0.mode', /not a field/],
    ['a file outside', { files: [{ path: '../a', content: '' }] }, 'files.0.path', /"\.\."/],
    ['server.cfg as a file', { files: [{ path: 'left4dead2/cfg/server.cfg', content: '' }] }, 'files.0.path', /config/],
    ['a file with NUL', { files: [{ path: 'a', content: 'x\0' }] }, 'files.0.content', /NUL/],
    [
      'a secret that is not there',
      { files: [{ path: 'a', content: '{{secret.A}}' }] },
      'files.0.content',
      /line 1, column 1.*named A/,
    ],
    [
      'a secret in an argument by its name',
      { arguments: ['+x', '{{secret.A}}'] },
      'arguments.1',
      /\{\{secret\.A\}\} is a secret/,
    ],
    ['a hidden path that is no text', { hide: [1] }, 'hide', /string/],
    ['hiding what every server needs', { hide: ['a', 'left4dead2/cfg/valve.rc'] }, 'hide.1', /no server starts/],
    ['hiding what is written', { files: [{ path: 'a/b', content: '' }], hide: ['a'] }, 'hide.0', /cannot be hidden/],
    ['a line that is not ASCII', { config: 'a\nhostname "Zoë"' }, 'config', /line 2, column 13/],
    ['a server.cfg that is too long', { config: 'x'.repeat(65_537) }, 'config', /65536/],
  ])('refuses %s', async (_what, wrong, path, message) => {
    const made = await blueprint(anna);
    const before = await stored();
    for (const request of [
      anna.post(URL).send({ name: fresh('wrong'), ...wrong }),
      anna.patch(`${URL}/${made.id}`).send(wrong),
    ]) {
      if (request.method === 'PATCH' && path === 'name' && 'name' in wrong && wrong.name === undefined) continue;
      const refused = await request.expect(400).expect('content-type', /application\/problem\+json/);
      expect(errorsOf(refused)).toContainEqual({ path, message: expect.stringMatching(message) });
    }
    expect(await stored()).toEqual(before);
  });

  it('answers 404 for ids that nothing has', async () => {
    for (const id of ['1999999999', '0', '-1', 'abc', '99999999999', '1.5']) await anna.get(`${URL}/${id}`).expect(404);
  });
});
