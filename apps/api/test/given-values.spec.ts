import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type supertest from 'supertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ServerView } from '../src/servers/server.dto.js';
import { eventually } from './eventually.js';
import { Instance } from './instance.js';
import { LogFollower } from './log-follower.js';
import { RealPanel } from './real-panel.js';
import { unzipped } from './zip-file.js';

const CFG = 'left4dead2/cfg/server.cfg';
const LOG = 'left4dead2/addons/sourcemod/logs/told.log';

let panel: RealPanel;
let server: ServerView;
let blueprint: number;
/** Every value that the server was given, and its password: what it may repeat. */
const given: string[] = [];
const secret = (value: string) => panel.admin.put('/api/v1/secrets/GSLT').send({ value }).expect(200);
const instanceOf = ({ name, port }: ServerView) => new Instance(panel.root, name, port);
const content = (name: string) => `/api/v1/servers/${name}/files/content?path=${encodeURIComponent(LOG)}`;
const bytesOf = async (request: supertest.Test): Promise<Buffer> => {
  const { body } = await request.buffer(true).parse((response, done) => {
    const chunks: Buffer[] = [];
    (response as unknown as Readable).on('data', (chunk: Buffer) => chunks.push(chunk));
    (response as unknown as Readable).on('end', () => done(null, Buffer.concat(chunks)));
  });
  return body;
};
const textOf = async (request: supertest.Test): Promise<string> => (await bytesOf(request)).toString();
const stars = (values: readonly string[]) => values.map((value) => '*'.repeat(value.length));
/** What the server tells in its log of files: more than a chunk, with the values at the end of one and at the beginning of the next. */
const told = (values: readonly string[]) => `${'-'.repeat(65_530)} ${values.join('\r\n')} end\n`;

beforeAll(async () => {
  panel = await RealPanel.make();
  await secret('the-first-value');
  blueprint = await panel.blueprint('telling', [], { config: 'echo {{secret.GSLT}}' });
  server = await panel.server('telling', blueprint);
  for (let n = 0; n <= 15; n += 1) {
    given.push(`value-${n}-of-sixteen`);
    await secret(`value-${n}-of-sixteen`);
    const { error } = await panel.do('telling', n === 0 ? 'start' : 'initialize');
    if (error !== null) throw new Error(`telling did not get value ${n}: ${error}`);
  }
  await panel.reaches('telling', { ready: true });
  const cfg = await readFile(join(instanceOf(server).folder, 'current/config', CFG), 'utf8');
  given.push(/^rcon_password "(\w{32})"$/m.exec(cfg)?.[1] ?? 'no password');
});
afterAll(() => panel.close());

async function tell(name: string): Promise<void> {
  const path = join(panel.root, 'instances', name, 'upper', LOG);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, told(given));
}

/** Whole, in parts that begin and end within values, followed, and in an archive. */
async function showsNothing(name: string): Promise<void> {
  const masked = told(stars(given));
  expect(await textOf(panel.admin.get(content(name)).expect(200))).toBe(masked);
  const first = masked.indexOf('*');
  for (const [start, end] of [
    [65_535, 65_536],
    [first + 3, first + 3],
    [first + 5, masked.length - 9],
    [0, first + 10],
  ] as const) {
    const part = await textOf(panel.admin.get(content(name)).set('Range', `bytes=${start}-${end}`).expect(206));
    expect(part).toBe(masked.slice(start, end + 1));
  }
  const archive = `/api/v1/servers/${name}/files/archive?path=${encodeURIComponent(dirname(LOG))}`;
  expect(unzipped(await bytesOf(panel.admin.get(archive).expect(200))).get('told.log')).toBe(masked);
  const follower = await LogFollower.open(`${panel.url}${content(name)}&follow=true&after=${first + 1}`, panel.cookie);
  await eventually('the followed file', async () => follower.lines.length >= given.length);
  follower.leave();
  expect(follower.lines.join('\n')).toBe(masked.slice(first + 1, -1).replaceAll('\r', ''));
}

it('masks all of sixteen values that a secret had, and still when it is deleted while the server runs', async () => {
  await panel.admin.patch(`/api/v1/blueprints/${blueprint}`).send({ config: '' }).expect(200);
  await panel.admin.delete('/api/v1/secrets/GSLT').expect(204);
  await tell('telling');
  await showsNothing('telling');
  const logged = await LogFollower.open(`${panel.url}/api/v1/servers/telling/logs?follow=true`, panel.cookie);
  await instanceOf(server).rcon(`say ${given.join(' ')}`);
  const line = `Console: ${given.map(() => '***').join(' ')}`;
  await eventually('the line in the log', async () => logged.text.includes(line));
  logged.leave();
  expect(given.filter((value) => logged.text.includes(value))).toEqual([]);
});

it('masks them when the server has a generation without them', async () => {
  expect(await panel.do('telling', 'restart')).toMatchObject({ state: 'succeeded' });
  await showsNothing('telling');
});

it('masks them in the files that another server got out of the trash, when theirs is gone', async () => {
  expect(await panel.do('telling', 'delete')).toMatchObject({ state: 'succeeded' });
  const [entry] = (await panel.admin.get('/api/v1/trash').expect(200)).body.items;
  await panel.admin.delete('/api/v1/servers/telling').expect(204);
  await panel.server('heir', blueprint);
  expect(await panel.do('heir', 'initialize')).toMatchObject({ state: 'succeeded' });
  const cfg = panel.admin.get(`/api/v1/servers/heir/files/content?path=${CFG}`);
  expect(await textOf(cfg.expect(200))).toMatch(/rcon_password "\*{32}"/);
  const restore = { operation: 'initialize', restore: entry.id };
  const { body } = await panel.admin.post('/api/v1/servers/heir/jobs').send(restore).expect(202);
  expect(await panel.ended(body.id)).toMatchObject({ state: 'succeeded' });
  await showsNothing('heir');
});
