import { readFile, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PreviewView } from '../src/servers/preview.dto.js';
import type { ServerView } from '../src/servers/server.dto.js';
import { eventually } from './eventually.js';
import { Instance } from './instance.js';
import { RealPanel } from './real-panel.js';
import { askInfo, rcon } from './source-client.js';

const CFG = 'left4dead2/cfg/server.cfg';
const TOKEN = 'gslt-0123456789abcdef';
const TITLE = 'Friday Night';
/** Each level sets one variable more than the one above it leaves alone. */
const pack = (name: string, sets: string[]) =>
  [`hostname "${name}"`, 'rcon_password "known to all"', ...sets.map((x) => `${x} ${name}`), `echo ran ${name}`].join(
    '\n',
  );

let panel: RealPanel;
let server: ServerView;
let instance: Instance;
let blueprint: number;
const change = (body: object) => panel.admin.patch(`/api/v1/blueprints/${blueprint}`).send(body).expect(200);
const secret = (value: string) => panel.admin.put('/api/v1/secrets/GSLT').send({ value }).expect(200);
const pending = async () => (await panel.get('layered')).pendingChanges;
const preview = async (): Promise<PreviewView> =>
  (await panel.admin.get('/api/v1/servers/layered/preview').expect(200)).body;
const generated = (path: string) => readFile(join(instance.folder, 'current/config', path), 'utf8');
const logged = async () => (await panel.admin.get('/api/v1/servers/layered/logs?lines=2000').expect(200)).text;

beforeAll(async () => {
  panel = await RealPanel.make();
  await secret(TOKEN);
  const overlays = [
    await panel.overlay('top', { [CFG]: pack('top', ['l4m_c', 'l4m_d']) }),
    await panel.overlay('middle', { [CFG]: pack('middle', ['l4m_b', 'l4m_c', 'l4m_d']) }),
    await panel.overlay('bottom', {
      [CFG]: pack('bottom', ['l4m_a', 'l4m_b', 'l4m_c', 'l4m_d']),
      'left4dead2/addons/shipped.nav': 'shipped',
      'left4dead2/addons/kept.nav': 'kept',
    }),
  ];
  const places = overlays.map((overlayId) => ({ overlayId, exposeServerCfg: true }));
  const config = 'l4m_d blueprint\nhostname "of the blueprint"\nrcon_password "weak"\nexec extra.cfg\n';
  blueprint = await panel.blueprint('layered', [], {
    overlays: places,
    config,
    files: [
      { path: 'left4dead2/cfg/extra.cfg', content: 'sv_setsteamaccount {{secret.GSLT}}\necho token {{secret.GSLT}}\n' },
      { path: 'left4dead2/addons/sourcemod/configs/who.txt', content: 'Zoë on {{title}} {{rconPassword}}' },
    ],
    hide: ['left4dead2/addons/shipped.nav'],
  });
  server = await panel.server('layered', blueprint, { title: TITLE });
  instance = new Instance(panel.root, server.name, server.port);
  await panel.startServer('layered');
});
afterAll(() => panel.close());

it('executes the server.cfg of its overlays from the bottom to the top, then the blueprint’s lines', async () => {
  const values = await Promise.all(['l4m_a', 'l4m_b', 'l4m_c', 'l4m_d'].map((name) => instance.rcon(name)));
  expect(values.map((answer) => /= "(.*)"/.exec(answer)?.[1])).toEqual(['bottom', 'middle', 'top', 'blueprint']);
  const ran = (await instance.lines()).map(({ line }) => line).filter((line) => line.startsWith('ran '));
  expect(ran).toEqual(['ran bottom', 'ran middle', 'ran top']);
});

it('has the panel’s title and password, whatever overlays and blueprint ship', async () => {
  expect(await askInfo(server.port)).toMatchObject({ name: TITLE });
  expect(await instance.rcon('hostname')).toBe(`"hostname" = "${TITLE}"\n`);
  for (const shipped of ['known to all', 'weak', '']) {
    await expect(rcon(server.port, shipped, 'status')).rejects.toThrow('wrong RCON password');
  }
});

it('sees the blueprint’s files filled in, and not what is hidden', async () => {
  const password = /^rcon_password "(\w{32})"$/m.exec(await generated(CFG))?.[1];
  const who = await readFile(await instance.inside('left4dead2/addons/sourcemod/configs/who.txt'), 'utf8');
  expect(who).toBe(`Zoë on ${TITLE} ${password}`);
  expect(await instance.rcon('sv_setsteamaccount')).toBe(`"sv_setsteamaccount" = "${TOKEN}"\n`);
  expect(await readdir(await instance.inside('left4dead2/addons'))).not.toContain('shipped.nav');
  expect(await readFile(await instance.inside('left4dead2/addons/kept.nav'), 'utf8')).toBe('kept');
});

it('shows no secret and no RCON password in its log, although it prints them', async () => {
  const password = /^rcon_password "(\w{32})"$/m.exec(await generated(CFG))?.[1] ?? '';
  await instance.rcon(`say ${password} and ${TOKEN}`);
  await eventually('the line is in the log', async () => (await logged()).includes('Console: *** and ***'));
  const log = await logged();
  expect(log).toContain('"line":"token ***"');
  expect(log).not.toContain(TOKEN);
  expect(log).not.toContain(password);
  expect((await instance.lines()).map(({ line }) => line)).toContain(`Console: ${password} and ${TOKEN}`);
});

it('tells no password with the last words of a server that does not start', async () => {
  const program = '#!/bin/sh\ntail -n 1 left4dead2/cfg/server.cfg >&2\nexit 7\n';
  await panel.server(
    'telling',
    await panel.blueprint('telling', [await panel.overlay('telling', { srcds_run: program })]),
  );
  const failed = await panel.do('telling', 'start');
  expect(failed).toMatchObject({ state: 'failed', exitCode: 7 });
  expect(failed.error).toContain('rcon_password "***"');
  expect((await panel.get('telling')).lastError).toContain('rcon_password "***"');
  const lines = (await panel.jobLog(failed.id)).map(({ line }) => line);
  expect(lines.at(-1)).toBe(failed.error);
  expect(lines.join('\n')).not.toMatch(/rcon_password "\w/);
});

it('shows in its preview what it was given, with masks in place of secrets, and writes nothing', async () => {
  const before = await panel.get('layered');
  const { files, command, hide, warnings, overlays, build } = await preview();
  const password = /^rcon_password "(\w{32})"$/m.exec(await generated(CFG))?.[1] ?? '';
  for (const { path, content } of files) {
    expect((await generated(path)).replaceAll(password, '***').replaceAll(TOKEN, '***'), path).toBe(content);
  }
  expect(files.map(({ path, source, overlayName }) => [path, source, overlayName])).toEqual([
    [CFG, 'panel', null],
    ['left4dead2/cfg/server_overlay_1.cfg', 'overlay', 'top'],
    ['left4dead2/cfg/server_overlay_2.cfg', 'overlay', 'middle'],
    ['left4dead2/cfg/server_overlay_3.cfg', 'overlay', 'bottom'],
    ['left4dead2/cfg/extra.cfg', 'blueprint', null],
    ['left4dead2/addons/sourcemod/configs/who.txt', 'blueprint', null],
  ]);
  const running = await readFile(`/proc/${(await instance.pids()).server}/cmdline`, 'utf8');
  expect(running.split('\0').slice(-command.length, -1)).toEqual(command.slice(1));
  expect({ hide, warnings, build }).toEqual({
    hide: ['left4dead2/addons/shipped.nav'],
    warnings: [
      'server.cfg, line 2: hostname has no effect, since the panel sets the title of each server after it.',
      'server.cfg, line 3: rcon_password has no effect, since the panel sets a password of its own for each server after it.',
    ],
    build: 'demo-1',
  });
  expect(overlays.map(({ name, revision }) => [name, revision])).toEqual([
    ['top', 1],
    ['middle', 1],
    ['bottom', 1],
  ]);
  const { desiredState, pendingChanges, updatedAt } = before;
  expect(await panel.get('layered')).toMatchObject({ desiredState, pendingChanges, updatedAt });
});

it('says what the next start changes of files, hidden paths and secrets, and has it after a restart', async () => {
  expect(await pending()).toEqual([]);
  await secret('another-value-9');
  await change({ hide: [], files: [{ path: 'left4dead2/cfg/extra.cfg', content: 'l4m_e {{secret.GSLT}}\n' }] });
  expect(await pending()).toEqual([
    'file left4dead2/addons/sourcemod/configs/who.txt: removed',
    'file left4dead2/cfg/extra.cfg has changed',
    'the hidden paths have changed',
    'secret GSLT has changed',
  ]);
  expect(await panel.do('layered', 'restart')).toMatchObject({ state: 'succeeded' });
  await panel.reaches('layered', { ready: true });
  expect(await instance.rcon('l4m_e')).toBe('"l4m_e" = "another-value-9"\n');
  expect(await readdir(await instance.inside('left4dead2/addons'))).toContain('shipped.nav');
  expect(await pending()).toEqual([]);
  // The value before is still masked, and so is the new one.
  await instance.rcon(`say was ${TOKEN} is another-value-9`);
  await eventually('the line is in the log', async () => (await logged()).includes('Console: was *** is ***'));
});

it('previews a blueprint that is not saved: for a server, for a sample, refused as saving would', async () => {
  const shown = async (body: object): Promise<PreviewView> =>
    (await panel.admin.post('/api/v1/blueprints/preview').send(body).expect(200)).body;
  await change({ files: [], config: '' });
  expect(await panel.do('layered', 'restart')).toMatchObject({ state: 'succeeded' });
  const draft = await panel.draft('never-built', { 'left4dead2/x.txt': 'x' });
  const sample = await shown({
    overlays: [{ overlayId: draft }],
    config: 'hostname "{{title}} {{name}} {{secret.GSLT}}"\nhostname "{{title}}"\nsv_region 3',
    arguments: ['+map', 'c2m1_highway'],
    hide: ['may/be/in/it'],
    files: [{ path: 'left4dead2/cfg/x.cfg', content: 'a\nsay Zoë' }],
  });
  expect(sample.files[0]?.content).toContain('hostname "Example server example ***"');
  expect(sample.command.slice(-2)).toEqual(['+map', 'c2m1_highway']);
  expect(sample.warnings).toEqual([
    'Nothing of the overlay never-built is published yet: its owner or an admin has to build it first.',
    'server.cfg, line 1: hostname has no effect, since the panel sets the title of each server after it.',
    'left4dead2/cfg/x.cfg, line 2: other characters than plain ASCII in a .cfg file may crash the server.',
  ]);
  await panel.admin.patch('/api/v1/servers/layered').send({ title: 'Zoës Haus' }).expect(200);
  const mine = await shown({ blueprintId: blueprint, serverId: server.id, config: 'sv_tags {{port}}' });
  expect(mine.serverName).toBe('layered');
  expect(mine.files.map(({ source }) => source)).toEqual(['panel', 'overlay', 'overlay', 'overlay']);
  expect(mine.files[0]?.content).toContain(`sv_tags ${server.port}\nhostname "layered"`);
  expect(mine.warnings).toEqual([expect.stringContaining('title is not plain ASCII')]);
  for (const [body, path] of [
    [{ config: '{{secret.NOPE}}' }, 'config'],
    [{ overlays: [{ overlayId: 2_000_000_000 }] }, 'overlays.0.overlayId'],
    [{ hide: ['srcds_run'] }, 'hide.0'],
    [{ serverId: 2_000_000_000 }, 'serverId'],
    [{ name: 'x' }, 'name'],
  ] as const) {
    const refused = await panel.admin.post('/api/v1/blueprints/preview').send(body).expect(400);
    expect(refused.body.errors.map((error: { path: string }) => error.path)).toEqual([path]);
  }
  await panel.admin.post('/api/v1/blueprints/preview').send({ blueprintId: 2_000_000_000 }).expect(404);
  expect((await panel.admin.get(`/api/v1/blueprints/${blueprint}`)).body.config).toBe('');
});

it('says in its preview which hidden paths hide nothing', async () => {
  const hide = [
    'left4dead2/motd.txt',
    'left4dead2/addons/Shipped.nav',
    'left4dead2/addons/shipped.nav',
    'left4dead2/none/here',
  ];
  const send = { blueprintId: blueprint, files: [], config: '', hide };
  const { body } = await panel.admin.post('/api/v1/blueprints/preview').send(send).expect(200);
  expect(body.warnings).toEqual(
    ['left4dead2/addons/Shipped.nav', 'left4dead2/none/here'].map(
      (path) => `Hiding ${path} has no effect: neither the game nor an overlay has it. Upper and lower case matter.`,
    ),
  );
});

it('says which overlay exposes a server.cfg that is no file', async () => {
  const linked = await panel.draft('linked', { 'left4dead2/cfg/server_comp.cfg': 'x' });
  await symlink('server_comp.cfg', join(panel.root, 'drafts', String(linked), CFG));
  expect(await panel.build(linked)).toMatchObject({ state: 'succeeded' });
  const folder = await panel.overlay('folder', { [`${CFG}/x`]: 'x' });
  const file = await panel.overlay('file', { 'left4dead2/cfg': 'x' });
  for (const overlayId of [linked, folder, file]) {
    const overlays = [{ overlayId, exposeServerCfg: true }];
    const { body } = await panel.admin.post('/api/v1/blueprints/preview').send({ overlays }).expect(200);
    expect(body.warnings).toContainEqual(expect.stringContaining(`Of overlay ${overlayId}: "${CFG}"`));
  }
});
