import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Announcements } from '../src/redis/announcements.js';
import { announceServersOf } from '../src/servers/announce-servers.js';
import { Generations } from '../src/servers/generations.js';
import { RconPasswords } from '../src/servers/rcon-password.js';
import { type Agent, startApp, type TestApp } from './app.js';

let panel: TestApp;
let anna: Agent;
let ben: Agent;
let hostId: number;
let annas: number;
let bens: number;

const URL = '/api/v1/servers';
let count = 0;
const fresh = (prefix: string) => `${prefix}-${(count += 1)}`;
const blueprint = async (agent: Agent, body: object = {}): Promise<number> =>
  (
    await agent
      .post('/api/v1/blueprints')
      .send({ name: fresh('blueprint'), ...body })
      .expect(201)
  ).body.id;
const server = async (agent: Agent, body: object = {}) =>
  (
    await agent
      .post(URL)
      .send({ name: fresh('server'), blueprintId: agent === ben ? bens : annas, ...body })
      .expect(201)
  ).body;
const stored = () => panel.database.query(`SELECT json_agg(s ORDER BY id) AS servers FROM servers s`);
const sql = (text: string, values: unknown[] = []) => panel.database.query(text, values);
/** A job of the server that has not ended, without running one. */
const queueJob = async (serverId: number) =>
  sql(`INSERT INTO jobs (operation, host_id, server_id, server_name) VALUES ('start', $1, $2, 'x')`, [
    hostId,
    serverId,
  ]);

beforeAll(async () => {
  panel = await startApp({ publicUrl: 'http://play.example.org:8443' });
  await sql(`INSERT INTO hosts (name) VALUES ('local') ON CONFLICT DO NOTHING`);
  [{ id: hostId }] = await sql(`SELECT id FROM hosts WHERE name = 'local'`);
  [anna, ben] = [await panel.user('anna'), await panel.user('ben')];
  [annas, bens] = [await blueprint(anna), await blueprint(ben)];
});
afterAll(() => panel.close());

describe('a server', () => {
  it('is made, read by id and by name, changed and deleted', async () => {
    const made = await server(anna, { name: 'versus-1', title: 'Zoës "Haus"', port: 28_000 });
    expect(made).toEqual({
      id: expect.any(Number),
      name: 'versus-1',
      title: 'Zoës "Haus"',
      port: 28_000,
      hostId,
      hostName: 'local',
      blueprintId: annas,
      blueprintName: expect.stringMatching(/^blueprint-/),
      ownerId: expect.any(Number),
      ownerName: 'anna',
      desiredState: 'absent',
      actualState: 'absent',
      actualStateAt: null,
      ready: null,
      readyAt: null,
      lastError: null,
      pendingChanges: [],
      map: null,
      players: null,
      maxPlayers: null,
      usage: null,
      connect: 'play.example.org:28000',
      job: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect((await anna.get(`${URL}/${made.id}`).expect(200)).body).toEqual(made);
    expect((await anna.get(`${URL}/versus-1`).expect(200)).body).toEqual(made);
    const other = await blueprint(anna);
    const changed = await anna
      .patch(`${URL}/versus-1`)
      .send({ name: 'versus-2', title: 'Two', port: 28_001, blueprintId: other })
      .expect(200);
    expect(changed.body).toMatchObject({
      id: made.id,
      name: 'versus-2',
      title: 'Two',
      port: 28_001,
      blueprintId: other,
    });
    await anna.delete(`${URL}/versus-2`).expect(204);
    await anna.get(`${URL}/${made.id}`).expect(404);
    await anna.get(`${URL}/versus-2`).expect(404);
  });

  it('is put on a host by its id, by its digits or by its name, and moved likewise', async () => {
    const [cellar] = await sql(`INSERT INTO hosts (name) VALUES ('cellar') RETURNING id`);
    for (const [index, reference] of ['cellar', String(cellar.id), cellar.id].entries()) {
      const made = await server(anna, { hostId: reference, port: 28_100 + index });
      expect(made).toMatchObject({ hostId: cellar.id, hostName: 'cellar' });
      const moved = await anna.patch(`${URL}/${made.id}`).send({ hostId: 'local' }).expect(200);
      expect(moved.body).toMatchObject({ hostId, hostName: 'local' });
    }
  });

  it('has its name for a title when none is given', async () => {
    const made = await server(anna);
    expect(made.title).toBe(made.name);
  });

  it('has an RCON password of its own that is nowhere to be read', async () => {
    const made = await server(anna);
    const [row] = await sql(`SELECT rcon_password AS sealed FROM servers WHERE id = $1`, [made.id]);
    const password = panel.app.get(RconPasswords).open(row.sealed);
    expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(row.sealed.includes(password)).toBe(false);
    expect(JSON.stringify(made)).not.toContain(password);
    expect(made).not.toHaveProperty('rconPassword');
  });

  it('is listed newest first, page by page, to its owner and the admins', async () => {
    const [first, second, third] = [await server(ben), await server(ben), await server(ben)];
    const one = await ben.get(`${URL}?limit=2`).expect(200);
    const two = await ben.get(`${URL}?limit=2&cursor=${one.body.nextCursor}`).expect(200);
    expect([...one.body.items, ...two.body.items].map(({ id }) => id)).toEqual([third.id, second.id, first.id]);
    expect(two.body.nextCursor).toBeNull();
    const all = await panel.admin.get(`${URL}?limit=500`).expect(200);
    expect(all.body.items.map(({ id }: { id: number }) => id)).toEqual(expect.arrayContaining([first.id, third.id]));
  });

  it('is its owner’s and the admins’', async () => {
    const made = await server(anna);
    const before = await stored();
    for (const reference of [made.id, made.name]) {
      await ben.get(`${URL}/${reference}`).expect(404);
      await ben.patch(`${URL}/${reference}`).send({ title: 'mine' }).expect(404);
      await ben.delete(`${URL}/${reference}`).expect(404);
      await panel.anonymous.delete(`${URL}/${reference}`).expect(401);
    }
    expect(await stored()).toEqual(before);
    await panel.admin.patch(`${URL}/${made.id}`).send({ blueprintId: bens }).expect(200);
    await panel.admin.delete(`${URL}/${made.id}`).expect(204);
  });

  it('shows a token with a server list its servers only, and lets it make none', async () => {
    const [listed, other] = [await server(anna), await server(anna)];
    const token = await anna
      .post('/api/v1/tokens')
      .send({ name: fresh('token'), scopes: ['read', 'manage'], serverIds: [listed.id] })
      .expect(201);
    const bot = (method: 'get' | 'post' | 'patch' | 'delete', path: string) =>
      panel.anonymous[method](path).set('Authorization', `Bearer ${token.body.token}`);
    const list = await bot('get', URL).expect(200);
    expect(list.body.items.map(({ id }: { id: number }) => id)).toEqual([listed.id]);
    await bot('get', `${URL}/${other.name}`).expect(404);
    await bot('patch', `${URL}/${other.id}`).send({ title: 'x' }).expect(404);
    await bot('delete', `${URL}/${other.id}`).expect(404);
    await bot('post', URL)
      .send({ name: fresh('server'), blueprintId: annas })
      .expect(403);
    await bot('patch', `/api/v1/blueprints/${annas}`).send({ config: '' }).expect(403);
    await bot('patch', `${URL}/${listed.name}`).send({ title: 'by a bot' }).expect(200);
  });
});

describe('ports', () => {
  it('gives fifty servers made at once fifty free ports', async () => {
    const made = await Promise.all(Array.from({ length: 50 }, () => server(anna)));
    const ports = new Set(made.map(({ port }) => port));
    expect(ports.size).toBe(50);
    expect(Math.min(...ports)).toBeGreaterThanOrEqual(27_015);
  });

  it('names the holder of a taken port, unless that is somebody else’s', async () => {
    const holder = await server(anna, { port: 29_000 });
    const other = await server(anna);
    const before = await stored();
    for (const request of [
      anna.post(URL).send({ name: fresh('server'), blueprintId: annas, port: 29_000 }),
      anna.patch(`${URL}/${other.id}`).send({ port: 29_000 }),
    ]) {
      expect((await request.expect(409)).body.detail).toBe(`Port 29000 is taken by the server ${holder.name}.`);
    }
    const foreign = await ben
      .post(URL)
      .send({ name: fresh('server'), blueprintId: bens, port: 29_000 })
      .expect(409);
    expect(foreign.body.detail).toBe('Port 29000 is taken.');
    expect(await stored()).toEqual(before);
  });
});

describe('a name', () => {
  it('is given once; somebody else’s server is not told of', async () => {
    const [made, other] = [await server(anna), await server(anna)];
    const before = await stored();
    for (const request of [
      anna.post(URL).send({ name: made.name, blueprintId: annas }),
      anna.patch(`${URL}/${other.id}`).send({ name: made.name }),
    ]) {
      expect((await request.expect(409)).body.detail).toBe(`There is a server named ${made.name} already.`);
    }
    const foreign = await ben.post(URL).send({ name: made.name, blueprintId: bens }).expect(409);
    expect(foreign.body.detail).toBe(`The name ${made.name} is taken.`);
    expect(await stored()).toEqual(before);
  });

  it.each(['running', 'stopped', 'failed', 'unknown'])(
    'stays while the server is %s, and so does the server',
    async (state) => {
      const made = await server(anna);
      await sql(`UPDATE servers SET actual_state = $2 WHERE id = $1`, [made.id, state]);
      const before = await stored();
      const renamed = await anna
        .patch(`${URL}/${made.id}`)
        .send({ name: fresh('other') })
        .expect(409);
      expect(renamed.body.detail).toMatch(/delete job first/);
      const removed = await anna.delete(`${URL}/${made.id}`).expect(409);
      expect(removed.body.detail).toMatch(/delete job first/);
      expect(await stored()).toEqual(before);
      await anna
        .patch(`${URL}/${made.id}`)
        .send({ name: made.name, title: 'New', port: 31_000 + count })
        .expect(200);
    },
  );

  it('stays while a job waits, and so does the server', async () => {
    const made = await server(anna);
    await queueJob(made.id);
    const before = await stored();
    expect(
      (
        await anna
          .patch(`${URL}/${made.id}`)
          .send({ name: fresh('other') })
          .expect(409)
      ).body.detail,
    ).toMatch(/job/);
    expect((await anna.delete(`${URL}/${made.id}`).expect(409)).body.detail).toMatch(/job/);
    expect(await stored()).toEqual(before);
    expect((await anna.get(`${URL}/${made.id}`)).body.job).toMatchObject({ operation: 'start', state: 'queued' });
  });
});

describe('bad input', () => {
  it.each<[string, object, string, RegExp]>([
    ['capitals in a name', { name: 'Versus' }, 'name', /lower-case/],
    ['a name of digits', { name: '12345' }, 'name', /not only digits/],
    ['a name that begins with a dash', { name: '-x' }, 'name', /lower-case/],
    ['a name that leaves its folder', { name: '../x' }, 'name', /lower-case/],
    ['a name with a line break at its end', { name: 'x\n' }, 'name', /lower-case/],
    ['a long name', { name: 'x'.repeat(33) }, 'name', /32/],
    ['a name that is null', { name: null }, 'name', /string/],
    ['an empty title', { title: '' }, 'title', /longer/],
    ['a title that is null', { title: null }, 'title', /string/],
    ['a title with a line break', { title: 'a\nrcon_password x' }, 'title', /control characters/],
    ['a title with NUL', { title: 'a\0' }, 'title', /control characters/],
    ['a long title', { title: 'x'.repeat(65) }, 'title', /64/],
    ['port 1023', { port: 1023 }, 'port', /1024/],
    ['port 65536', { port: 65_536 }, 'port', /65535/],
    ['a port that is no number', { port: '27015' }, 'port', /integer/],
    ['half a port', { port: 27_015.5 }, 'port', /integer/],
    ['a port that is null', { port: null }, 'port', /integer/],
    ['an unknown blueprint', { blueprintId: 2_000_000_000 }, 'blueprintId', /no blueprint/],
    ['a blueprint that is no id', { blueprintId: 'x' }, 'blueprintId', /integer/],
    ['an unknown host', { hostId: 2_000_000_000 }, 'hostId', /no host/],
    ['an unknown host by name', { hostId: 'nowhere' }, 'hostId', /there is no host nowhere/],
    ['a host that is neither', { hostId: true }, 'hostId', /an id or a name/],
    ['half a host', { hostId: 1.5 }, 'hostId', /an id or a name/],
    ['a host with NUL', { hostId: 'lo\0cal' }, 'hostId', /an id or a name/],
    ['an unknown field', { rconPassword: 'x' }, 'rconPassword', /not a field/],
    ['a state', { actualState: 'running' }, 'actualState', /not a field/],
  ])('refuses %s', async (_what, wrong, path, message) => {
    const made = await server(anna);
    const before = await stored();
    const body = { name: fresh('server'), blueprintId: annas, ...wrong };
    for (const request of [anna.post(URL).send(body), anna.patch(`${URL}/${made.id}`).send(wrong)]) {
      const refused = await request.expect(400).expect('content-type', /application\/problem\+json/);
      expect(refused.body.errors).toContainEqual({ path, message: expect.stringMatching(message) });
    }
    expect(await stored()).toEqual(before);
  });

  it('refuses somebody else’s blueprint like an unknown one', async () => {
    const made = await server(anna);
    const before = await stored();
    const error = { path: 'blueprintId', message: `there is no blueprint ${bens}` };
    const created = await anna
      .post(URL)
      .send({ name: fresh('server'), blueprintId: bens })
      .expect(400);
    const moved = await anna.patch(`${URL}/${made.id}`).send({ blueprintId: bens }).expect(400);
    expect([created.body.errors, moved.body.errors]).toEqual([[error], [error]]);
    expect(await stored()).toEqual(before);
  });

  it('answers 404 for what is not there', async () => {
    for (const reference of ['1999999999', '0', 'nobody', '%00', 'a%2Fb', '99999999999']) {
      await anna.get(`${URL}/${reference}`).expect(404);
    }
  });
});

describe('generations', () => {
  const revision = async (overlayId: number, number: number) => {
    await sql(`UPDATE overlay_revisions SET current = false WHERE overlay_id = $1`, [overlayId]);
    const [row] = await sql(
      `INSERT INTO overlay_revisions (overlay_id, number, current, files, bytes, content_hash) VALUES ($1, $2, true, 1, 1, 'x') RETURNING id`,
      [overlayId, number],
    );
    return row.id as number;
  };
  const build = async (name: string) => {
    await sql(`UPDATE runtime_builds SET current = false WHERE host_id = $1`, [hostId]);
    await sql(
      `INSERT INTO runtime_builds (host_id, build, demo, current, installed_at) VALUES ($1, $2, true, true, now())`,
      [hostId, name],
    );
  };
  const changes = async (id: number) => (await anna.get(`${URL}/${id}`).expect(200)).body.pendingChanges;

  it('pin what is current, and tell what the next start changes', async () => {
    const generations = panel.app.get(Generations);
    const overlay = (await anna.post('/api/v1/overlays').send({ name: 'maps' }).expect(201)).body;
    const blueprintId = await blueprint(anna, { overlays: [{ overlayId: overlay.id }], config: 'sv_region 3' });
    const made = await server(anna, { blueprintId, title: 'First', port: 30_000 });

    await expect(generations.prepare(made.id)).rejects.toThrow('install the game first');
    await build('100');
    await expect(generations.prepare(made.id)).rejects.toThrow(
      'Nothing of overlay maps is published yet: its owner or an admin has to build it first.',
    );
    expect(await sql(`SELECT id FROM generations WHERE server_id = $1`, [made.id])).toEqual([]);

    const first = await revision(overlay.id, 1);
    await generations.prepare(made.id); // what a job that failed leaves behind
    const { generation, spec } = await generations.prepare(made.id);
    expect(spec).toMatchObject({ port: 30_000, build: '100', overlays: [`${overlay.id}/1`] });
    expect(spec.files[0]?.content).toMatch(/sv_region 3\nhostname "First"\nrcon_password "[A-Za-z0-9]{32}"\n$/);
    expect(JSON.stringify(generation)).not.toMatch(/rcon_password/);
    expect(await sql(`SELECT generation_id, revision_id FROM generation_revisions`)).toEqual([
      { generation_id: generation.id, revision_id: first },
    ]);
    await generations.made(generation.id, 1);
    await sql(`UPDATE servers SET actual_state = 'stopped' WHERE id = $1`, [made.id]);
    expect(await changes(made.id)).toEqual([]);

    await revision(overlay.id, 2);
    await build('101');
    await anna.patch(`/api/v1/blueprints/${blueprintId}`).send({ config: 'sv_region 4' }).expect(200);
    await anna.patch(`${URL}/${made.id}`).send({ title: 'Second' }).expect(200);
    expect(await changes(made.id)).toEqual([
      'title: First → Second',
      'server.cfg has changed',
      'overlay maps: revision 1 → 2',
      'game: build 100 → 101',
    ]);

    const next = await generations.prepare(made.id);
    await generations.made(next.generation.id, 2);
    await sql(`UPDATE servers SET actual_state = 'running', generation = 1 WHERE id = $1`, [made.id]);
    expect(await changes(made.id)).toHaveLength(4);
    await sql(`UPDATE servers SET generation = 2 WHERE id = $1`, [made.id]);
    expect(await changes(made.id)).toEqual([]);

    await generations.keepOnly(made.id, [2]);
    expect(await sql(`SELECT number FROM generations WHERE server_id = $1`, [made.id])).toEqual([{ number: 2 }]);
    const inUse = await anna.delete(`/api/v1/overlays/${overlay.id}`).expect(409);
    expect(inUse.body.detail).toContain('blueprints use it');
    await anna.patch(`/api/v1/blueprints/${blueprintId}`).send({ overlays: [] }).expect(200);
    expect(await changes(made.id)).toEqual(['overlay maps: removed']);
    const pinned = await anna.delete(`/api/v1/overlays/${overlay.id}`).expect(409);
    expect(pinned.body.detail).toContain(made.name);

    await generations.keepOnly(made.id, []);
    await sql(`UPDATE servers SET actual_state = 'absent' WHERE id = $1`, [made.id]);
    expect(await changes(made.id)).toEqual([]);
    await anna.delete(`/api/v1/overlays/${overlay.id}`).expect(204);
  });

  it('take the server.cfg of exposed overlays out of the revision that they pin', async () => {
    await build('200');
    const exposed = async (name: string, cfg: string | null) => {
      const { id } = (await anna.post('/api/v1/overlays').send({ name }).expect(201)).body;
      const folder = join(panel.settings.root, 'overlays', String(id), '1', 'left4dead2/cfg');
      await mkdir(folder, { recursive: true });
      if (cfg !== null) await writeFile(join(folder, 'server.cfg'), cfg);
      await revision(id, 1);
      return { overlayId: id, exposeServerCfg: true };
    };
    const overlays = [
      await exposed('top', 'sv_top 1'),
      await exposed('none', null),
      await exposed('bottom', 'sv_bottom 1'),
    ];
    const made = await server(anna, { blueprintId: await blueprint(anna, { overlays }) });
    const { spec } = await panel.app.get(Generations).prepare(made.id);
    expect(spec.files.map((file) => file.path)).toEqual([
      'left4dead2/cfg/server.cfg',
      'left4dead2/cfg/server_overlay_1.cfg',
      'left4dead2/cfg/server_overlay_3.cfg',
    ]);
    expect(spec.files[0]?.content).toContain('exec server_overlay_3.cfg\nexec server_overlay_1.cfg\nhostname');
    expect(spec.files[1]?.content).toBe('sv_top 1\n');
  });
});

describe('announcements', () => {
  it('name the servers that an edit reaches', async () => {
    const announcements = panel.app.get(Announcements);
    const overlayId = (
      await anna
        .post('/api/v1/overlays')
        .send({ name: fresh('overlay') })
        .expect(201)
    ).body.id;
    const blueprintId = await blueprint(anna, { overlays: [{ overlayId }] });
    const [one, two] = [await server(anna, { blueprintId }), await server(anna, { blueprintId })];
    const heard: number[] = [];
    const end = announcements.on('server', ({ id }) => heard.push(id));
    try {
      await anna.patch(`/api/v1/blueprints/${blueprintId}`).send({ config: 'sv_region 3' }).expect(200);
      expect(heard).toEqual([one.id, two.id]);
      await announceServersOf({ overlayId }, panel.database, announcements);
      expect(heard).toEqual([one.id, two.id, one.id, two.id]);
      heard.length = 0;
      await announceServersOf({ hostId }, panel.database, announcements);
      expect(heard).toEqual(expect.arrayContaining([one.id, two.id]));
      await anna.delete(`${URL}/${two.id}`).expect(204);
      expect(heard.at(-1)).toBe(two.id);
    } finally {
      end();
    }
  });
});
