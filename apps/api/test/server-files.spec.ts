import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { Browser, Page } from 'playwright-core';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerEntryView, ServerFileList } from '../src/server-files/server-file.dto.js';
import { launchBrowser } from './browser.js';
import { eventually } from './eventually.js';
import { LogFollower } from './log-follower.js';
import { RealPanel } from './real-panel.js';
import { unzipped } from './zip-file.js';

/** Repeats its own server.cfg, with the RCON password in it, and writes a log as plugins do. */
const SERVER = `#!/bin/sh
mkdir -p left4dead2/addons/sourcemod/logs
cp left4dead2/cfg/server.cfg left4dead2/repeated.cfg
echo changed >left4dead2/motd.txt
ln -s /etc/passwd left4dead2/passwd
trap 'exit 0' TERM
i=0
while :; do
  i=$((i + 1)); echo "L line $i" >>left4dead2/addons/sourcemod/logs/errors.log
  sleep 0.1 & wait $!
done
`;
const LOG = 'left4dead2/addons/sourcemod/logs/errors.log';

const numbered = (lines: number) => Array.from({ length: lines }, (_, i) => `cvar number ${i + 1}\n`).join('');

let panel: RealPanel;
let overlay: number;
const url = (path: string) => `/api/v1/servers/alpha/files${path}`;
const content = (path: string) => url(`/content?path=${encodeURIComponent(path)}`);
const list = async (path: string, more = ''): Promise<ServerFileList> =>
  (await panel.admin.get(url(`?path=${encodeURIComponent(path)}${more}`)).expect(200)).body;
const removed = async (path: string) => {
  const { status, body } = await panel.admin.delete(content(path));
  return { status, ...(body.detail === undefined ? {} : { detail: body.detail }) };
};
const asBytes = (request: supertest.Test) =>
  request.buffer(true).parse((response, done) => {
    const chunks: Buffer[] = [];
    (response as unknown as Readable).on('data', (chunk: Buffer) => chunks.push(chunk));
    (response as unknown as Readable).on('end', () => done(null, Buffer.concat(chunks)));
  });

beforeAll(async () => {
  panel = await RealPanel.make();
  overlay = await panel.overlay('pack', {
    srcds_run: SERVER,
    'left4dead2/motd.txt': 'of the pack',
    'left4dead2/a\\b.txt': 'odd',
    'left4dead2/long.cfg': numbered(5000),
    'left4dead2/huge': numbered(100_000),
  });
  const blueprint = await panel.blueprint('pack', [overlay], { config: 'sv_tags "x"' });
  await panel.server('alpha', blueprint);
  const start = await panel.do('alpha', 'start');
  if (start.state !== 'succeeded') throw new Error(`alpha was not started: ${start.error}`);
}, 60_000);
afterAll(() => panel.close());

describe('the files of a server that runs', () => {
  it('are listed in pages, with the layer of each and what it hides', async () => {
    const { items } = await list('left4dead2');
    const of = (name: string): ServerEntryView | undefined => items.find((item) => item.name === name);
    const none = { overlayId: null, overlayName: null, revision: null, build: null };
    const pack = { ...none, kind: 'overlay', overlayId: overlay, overlayName: 'pack', revision: 1 };
    const game = { ...none, kind: 'game', build: expect.stringMatching(/^demo/) };
    expect(of('motd.txt')).toMatchObject({ type: 'file', layer: { ...none, kind: 'own' }, hides: [pack, game] });
    expect(of('gameinfo.txt')).toMatchObject({ layer: game, hides: [] });
    expect(of('passwd')).toMatchObject({ type: 'link', target: '/etc/passwd' });
    expect((await list('')).items.map(({ name, merged }) => [name, merged])).toContainEqual(['left4dead2', true]);
    expect(of('addons')).toMatchObject({ type: 'directory', merged: false });
    expect((await list('left4dead2/cfg')).items.find(({ name }) => name === 'server.cfg')).toMatchObject({
      layer: { ...none, kind: 'generated' },
      hides: [game],
    });
    const paged: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const more: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const page: ServerFileList = await list('left4dead2', `&limit=3${more}`);
      expect(page.items.length).toBeLessThanOrEqual(3);
      paged.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(items.map(({ name }) => name));
  });

  it('are downloaded whole or in part, never through a link, with secrets masked byte by byte', async () => {
    const { text: cfg, headers } = await panel.admin.get(content('left4dead2/cfg/server.cfg')).buffer(true).expect(200);
    expect(headers).toMatchObject({
      'content-disposition': 'attachment; filename=server.cfg',
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
      'content-type': 'application/octet-stream',
    });
    const whole = (await asBytes(panel.admin.get(content('left4dead2/repeated.cfg')).expect(200))).body.toString();
    expect(whole).toMatch(/rcon_password "\*{32}"/);
    expect(cfg || whole).toContain('sv_tags "x"');
    const at = whole.indexOf('*'.repeat(32));
    for (const [start, end] of [
      [0, 4],
      [at - 2, at + 5],
      [at + 10, at + 40],
      [at + 31, at + 31],
    ] as const) {
      const part = await asBytes(
        panel.admin.get(content('left4dead2/repeated.cfg')).set('Range', `bytes=${start}-${end}`).expect(206),
      );
      expect(part.body.toString()).toBe(whole.slice(start, end + 1));
    }
    await panel.admin.get(content('left4dead2/repeated.cfg')).set('Range', 'bytes=99999-').expect(416);
    for (const path of [
      'left4dead2/passwd',
      'left4dead2',
      '../../../etc/passwd',
      '',
      'left4dead2/../left4dead2/motd.txt',
    ]) {
      expect((await panel.admin.get(content(path)).expect(400)).body.errors).toMatchObject([{ path: 'path' }]);
    }
    await panel.admin.get(content('left4dead2/none.txt')).expect(404);
    await panel.admin.get(url('?path=none')).expect(404);
    await panel.admin.get(url('?cursor=x')).expect(400);
    await panel.admin.get(url('?limit=0')).expect(400);
  });

  it('are followed as they are written', async () => {
    const target = `${panel.url}${content(LOG)}&follow=true`;
    const plain = await LogFollower.open(target, panel.cookie);
    await eventually('lines as text', async () => plain.lines.length > 3);
    expect(plain.lines.slice(0, 2)).toEqual(['L line 1', 'L line 2']);
    plain.leave();
    const items = await LogFollower.open(target, panel.cookie, { accept: 'application/x-ndjson' });
    await eventually('lines as NDJSON', async () => items.serverLines.length > 0);
    items.leave();
    const [first] = items.serverLines;
    expect(first).toMatchObject({ line: 'L line 1', position: '9' });
    const rest = await LogFollower.open(`${target}&after=9`, panel.cookie, { accept: 'application/x-ndjson' });
    await eventually('what comes after a position', async () => rest.serverLines.length > 0);
    expect(rest.serverLines[0]?.line).toBe('L line 2');
    rest.leave();
    await panel.admin.get(`${content('none.log')}&follow=true`).expect(404);
  });

  it('are followed from their first line, or tell how much of a large one is left out', async () => {
    const read = async (path: string, last: string) => {
      const accept = { accept: 'application/x-ndjson' };
      const follower = await LogFollower.open(`${panel.url}${content(path)}&follow=true`, panel.cookie, accept);
      await eventually('its last line', async () => follower.serverLines.at(-1)?.line === last);
      follower.leave();
      return follower;
    };
    const long = await read('left4dead2/long.cfg', 'cvar number 5000');
    expect(long.items[0]).toEqual({ line: 'cvar number 1', position: '14' });
    expect(long.items).toHaveLength(5000);
    const huge = await read('left4dead2/huge', 'cvar number 100000');
    const whole = numbered(100_000);
    const skipped = whole.length - huge.serverLines.map(({ line }) => `${line}\n`).join('').length;
    expect(huge.items[0]).toEqual({ skipped });
    expect(whole.length - skipped).toBeGreaterThan(1024 * 1024 - 100);
    const begun = huge.serverLines.map(({ line }) => `${line}\n`).join('');
    expect(whole.endsWith(`\n${begun}`)).toBe(true);
  });

  it('show nothing of a secret to who follows from a place within it', async () => {
    const target = `${panel.url}${content('left4dead2/repeated.cfg')}&follow=true`;
    const whole = (await asBytes(panel.admin.get(content('left4dead2/repeated.cfg')).expect(200))).body.toString();
    const at = whole.indexOf('*'.repeat(32));
    expect(at).toBeGreaterThan(0);
    // A user follows 20 at once.
    for (let first = 0; first < 32; first += 8) {
      await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          const inside = first + i;
          const follower = await LogFollower.open(`${target}&after=${at + inside}`, panel.cookie);
          await eventually('the rest of the line', async () => follower.lines.length > 0);
          follower.leave();
          expect(follower.lines[0]).toBe(`${'*'.repeat(32 - inside)}"`);
        }),
      );
    }
  });

  it('are downloaded as a zip file, whose links and odd names are told and whose secrets are masked', async () => {
    const { body, headers } = await asBytes(panel.admin.get(url('/archive?path=left4dead2')).expect(200));
    expect(headers['content-disposition']).toBe('attachment; filename=alpha-left4dead2.zip');
    const files = unzipped(body);
    expect(files.get('motd.txt')).toBe('changed\n');
    expect(files.has('addons/sourcemod/logs/')).toBe(true);
    expect(files.get('cfg/server.cfg')).toMatch(/rcon_password "\*{32}"/);
    expect(files.get('repeated.cfg')).toBe(files.get('cfg/server.cfg'));
    expect(files.has('passwd')).toBe(false);
    expect(files.get('LEFT-OUT.txt')).toMatch(/"left4dead2\/passwd": a link to "\/etc\/passwd"\n/);
    expect(files.get('LEFT-OUT.txt')).toMatch(/a name that zip files cannot have/);
    const logs = await asBytes(panel.admin.get(url('/archive?path=left4dead2/addons/sourcemod')).expect(200));
    expect([...unzipped(logs.body).keys()]).toEqual(['logs/', 'logs/errors.log']);
    await panel.admin.get(url('/archive?path=none')).expect(404);
    const draft = await asBytes(
      panel.admin.get(`/api/v1/overlays/${overlay}/files/archive?path=left4dead2`).expect(200),
    );
    expect(draft.headers['content-disposition']).toBe('attachment; filename=pack-left4dead2.zip');
    expect(unzipped(draft.body).get('motd.txt')).toBe('of the pack');
  });

  it('are seen by those who see the server, and counted', async () => {
    await panel.admin
      .post('/api/v1/users')
      .send({ name: 'ben', password: 'correct horse battery', role: 'user' })
      .expect(201);
    const ben = supertest.agent(panel.url);
    await ben.post('/api/v1/auth/login').send({ username: 'ben', password: 'correct horse battery' }).expect(200);
    for (const path of ['', '/summary', '/summary?path=left4dead2', '/archive', `/content?path=${LOG}`])
      await ben.get(url(path)).expect(404);
    await ben.delete(content(LOG)).expect(404);
    await supertest(panel.url).get(url('')).expect(401);
    const { body } = await panel.admin.get(url('/summary')).expect(200);
    expect(body).toMatchObject({ files: 4, complete: true });
    expect(body.bytes).toBeGreaterThan(8);
    expect(body.kept).toEqual({ files: 1, paths: [LOG] });
    const below = async (path: string) => (await panel.admin.get(url(`/summary?path=${path}`)).expect(200)).body;
    expect(await below('left4dead2')).toMatchObject({ files: 4, kept: { files: 1 } });
    expect(await below('left4dead2/motd.txt')).toEqual({
      files: 1,
      bytes: 8,
      complete: true,
      kept: { files: 0, paths: [] },
    });
    expect(await below('left4dead2/gameinfo.txt')).toMatchObject({ files: 0, bytes: 0, complete: true });
    const bad = await panel.admin.get(url('/summary?path=../beta')).expect(400);
    expect(bad.body.errors).toMatchObject([{ path: 'path' }]);
  });
});

describe('the console', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  async function openConsole(query: string): Promise<Page> {
    const page = await browser.newPage({ baseURL: panel.url, viewport: { width: 1280, height: 800 } });
    const [name = '', value = ''] = panel.cookie.split('=');
    await page.context().addCookies([{ name, value, url: panel.url }]);
    await page.goto(`/servers/${(await panel.get('alpha')).id}${query}`);
    return page;
  }

  it('leads through the folders to a log, and shows what is written to it', async () => {
    const page = await openConsole('');
    await page.getByRole('tab', { name: 'Files' }).click();
    await page.getByRole('button', { name: 'left4dead2', exact: true }).click();
    const motd = page.getByRole('row', { name: /^motd\.txt/ });
    await motd.getByText('hides overlay pack and the game').waitFor();
    expect(await motd.getByRole('button', { name: /^Delete motd.txt: alpha is running/ }).isDisabled()).toBe(true);
    await page.getByText('in 4 files written by the server').waitFor();
    await page.getByLabel('Written by the server').click();
    expect(await page.getByRole('row', { name: /^gameinfo\.txt/ }).count()).toBe(0);
    for (const folder of ['addons', 'sourcemod', 'logs', 'errors.log']) {
      await page.getByRole('button', { name: folder, exact: true }).click();
    }
    const log = page.getByRole('log', { name: 'errors.log' });
    await log
      .getByText(/^L line \d+$/)
      .last()
      .waitFor();
    const seen = await log.innerText();
    await eventually('a later line', async () => (await log.innerText()) !== seen);
  });

  it('shows a text from its first line, and says what it does not show of a large one', async () => {
    const page = await openConsole('?tab=files&path=left4dead2');
    const open = (name: string) => page.getByRole('button', { name, exact: true }).click();
    await open('long.cfg');
    const text = page.getByRole('log', { name: 'long.cfg' });
    await text.getByText('cvar number 5000', { exact: true }).waitFor();
    await text.evaluate((element) => (element.scrollTop = 0));
    await text.getByText('cvar number 1', { exact: true }).waitFor();
    expect(await page.getByText('not shown here').count()).toBe(0);
    await open('left4dead2');
    await open('huge');
    await page.getByText(/^The first [\d.]+ KB of this file are not shown here, and not searched/).waitFor();
  });
});

describe('deleting what a server wrote', () => {
  it('is refused while it runs, and brings back what the layers have there when it is stopped', async () => {
    const running = await panel.admin.delete(content('left4dead2/motd.txt')).expect(409);
    expect(running.body.detail).toContain('alpha is running');
    expect(await panel.do('alpha', 'stop')).toMatchObject({ state: 'succeeded' });
    expect(await removed('left4dead2/motd.txt')).toEqual({ status: 204 });
    expect((await asBytes(panel.admin.get(content('left4dead2/motd.txt')).expect(200))).body.toString()).toBe(
      'of the pack',
    );
    expect(await removed('left4dead2/gameinfo.txt')).toMatchObject({ status: 400 });
    expect(await removed('left4dead2/passwd')).toEqual({ status: 204 });
    expect(await removed('left4dead2/addons')).toEqual({ status: 204 });
    expect((await list('left4dead2')).items.map(({ name }) => name)).not.toContain('addons');
    expect(await readdir(join(panel.root, 'instances/alpha'))).not.toContain('removed');
  });

  it('and a start at the same moment end in one order or the other, never in between', async () => {
    for (let i = 0; i < 2; i++) {
      const folder = join(panel.root, 'instances/alpha/upper/left4dead2/data');
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      for (let file = 0; file < 50; file++) await writeFile(join(folder, `${file}.txt`), '');
      await symlink('/', join(folder, 'root'));
      const [job, { status }] = await Promise.all([
        panel.queue('alpha', 'start'),
        panel.admin.delete(content('left4dead2/data')),
      ]);
      expect(await panel.ended(job.id)).toMatchObject({ state: 'succeeded' });
      expect([204, 409]).toContain(status);
      const { items } = await list('left4dead2');
      const left = items.some(({ name }) => name === 'data') ? (await list('left4dead2/data')).items.length : 0;
      expect(left).toBe(status === 204 ? 0 : 51);
      expect(await panel.do('alpha', 'stop')).toMatchObject({ state: 'succeeded' });
    }
  });
});
