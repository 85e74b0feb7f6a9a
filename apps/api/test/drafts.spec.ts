import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CLEAN_ENV } from '@left4me/host/process/clean-environment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DraftCheck } from '../src/overlays/draft-check.js';
import { DraftUploads } from '../src/overlays/draft-uploads.service.js';
import { DraftLeases } from '../src/overlays/draft-leases.js';
import { OverlayFiles } from '../src/overlays/overlay-files.service.js';
import { UserPlaces } from '../src/problems/user-places.js';
import { type Agent, startApp, type TestApp } from './app.js';

let panel: TestApp;
let anna: Agent;
let ben: Agent;
let hostId: number;
let work: string;

const sql = (text: string, values: unknown[] = []) => panel.database.query(text, values);
const folderOf = (id: number) => path.join(panel.settings.root, 'drafts', String(id));
const temporary = async () => readdir(path.join(panel.settings.root, 'drafts/.tmp')).catch(() => []);
let count = 0;
const overlay = async (): Promise<number> =>
  (
    await anna
      .post('/api/v1/overlays')
      .send({ name: `draft-${(count += 1)}` })
      .expect(201)
  ).body.id;
const at = (id: number, rest: string) => `/api/v1/overlays/${id}/${rest}`;
const content = (id: number, file: string) => at(id, `files/content?path=${encodeURIComponent(file)}`);
const put = (id: number, file: string, body: string | Buffer) =>
  anna.put(content(id, file)).set('Content-Type', 'application/octet-stream').send(body);
const archive = (agent: Agent, id: number, body: Buffer, query = '') =>
  agent
    .put(at(id, `archive${query}`))
    .set('Content-Type', 'application/octet-stream')
    .send(body);
const changedAt = async (id: number) => (await anna.get(`/api/v1/overlays/${id}`)).body.draft.modifiedAt;

const filesOf = async (id: number): Promise<Record<string, string>> => {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folderOf(id), { withFileTypes: true, recursive: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile()) found[path.relative(folderOf(id), file)] = await readFile(file, 'utf8');
  }
  return found;
};

/** A tar of these files. */
const packed = async (files: Record<string, string>, ...options: string[]): Promise<Buffer> => {
  const source = await mkdtemp(path.join(work, 'source-'));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(source, file)), { recursive: true });
    await writeFile(path.join(source, file), text);
  }
  return execFileSync('tar', ['--create', ...options, '--file', '-', '--directory', source, '.']);
};

const runningBuild = async (overlayId: number): Promise<number> => {
  const [row] = await sql(
    `INSERT INTO jobs (operation, host_id, overlay_id, overlay_name, state, started_at)
     VALUES ('build-overlay', $1, $2, 'x', 'running', clock_timestamp()) RETURNING id`,
    [hostId, overlayId],
  );
  return row.id;
};
const endBuild = (id: number) =>
  sql(`UPDATE jobs SET state = 'succeeded', finished_at = clock_timestamp() WHERE id = $1`, [id]);

beforeAll(async () => {
  panel = await startApp();
  work = await mkdtemp(path.join(tmpdir(), 'left4me-drafts-'));
  await sql(`INSERT INTO hosts (name) VALUES ('local') ON CONFLICT DO NOTHING`);
  [{ id: hostId }] = await sql(`SELECT id FROM hosts WHERE name = 'local'`);
  [anna, ben] = [await panel.user('anna'), await panel.user('ben')];
});
afterAll(async () => {
  await panel.close();
  await rm(work, { recursive: true });
});

describe('an archive', () => {
  it('is merged into a folder of the draft, or takes its place', async () => {
    const id = await overlay();
    await put(id, 'left4dead2/cfg/kept.cfg', 'kept').expect(200);
    const tar = await packed({ 'cfg/server.cfg': 'new', 'addons/a.txt': 'a' }, '--gzip');
    const merged = await archive(anna, id, tar, '?target=left4dead2').expect(200);
    expect(merged.body).toEqual({ files: 2, bytes: 4, leftOut: { count: 0, first: [] } });
    expect(await filesOf(id)).toEqual({
      'left4dead2/cfg/kept.cfg': 'kept',
      'left4dead2/cfg/server.cfg': 'new',
      'left4dead2/addons/a.txt': 'a',
    });
    expect((await anna.get(`/api/v1/overlays/${id}`)).body.draft).toMatchObject({ files: 3, changed: true });
    await archive(anna, id, tar, '?target=left4dead2%2Fcfg&mode=replace').expect(200);
    expect(Object.keys(await filesOf(id)).sort()).toEqual([
      'left4dead2/addons/a.txt',
      'left4dead2/cfg/addons/a.txt',
      'left4dead2/cfg/cfg/server.cfg',
    ]);
    expect(await temporary()).toEqual([]);
  });

  it.each<[string, () => Promise<Buffer>, string, number, RegExp]>([
    ['is none', async () => Buffer.from('hello'), '', 422, /no zip and no tar/],
    [
      'was cut off',
      async () => (await packed({ a: 'x'.repeat(9_000) }, '--gzip')).subarray(0, 100),
      '',
      422,
      /damaged|cut off/,
    ],
    [
      'climbs out',
      async () => packed({ a: 'x' }, '--transform=s,a,../../evil,', '--absolute-names'),
      '',
      422,
      /must not contain/,
    ],
    ['has a target that climbs out', async () => packed({ a: 'x' }), '?target=..%2F..', 400, /\.\./],
    ['has an unknown mode', async () => packed({ a: 'x' }), '?mode=append', 400, /mode/],
    ['puts a folder over a file', async () => packed({ 'kept/a': 'x' }), '', 400, /is a file here/],
  ])('that %s is refused, and nothing is changed', async (_what, make, query, status, message) => {
    const id = await overlay();
    await put(id, 'kept', 'kept').expect(200);
    const before = await changedAt(id);
    const refused = await archive(anna, id, await make(), query).expect(status);
    expect(JSON.stringify(refused.body)).toMatch(message);
    expect(await filesOf(id)).toEqual({ kept: 'kept' });
    expect(await changedAt(id)).toBe(before);
    expect(await temporary()).toEqual([]);
  });

  it.each([
    ['bzip2', Buffer.from('BZh9')],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ])('that needs %s where that is not installed is told so', async (program, beginning) => {
    const { PATH } = CLEAN_ENV;
    CLEAN_ENV.PATH = work;
    try {
      const id = await overlay();
      const refused = await archive(anna, id, beginning).expect(501);
      expect(refused.body.detail).toContain(`needs the program ${program}, which is not installed`);
      expect(await changedAt(id)).toBeNull();
      expect(await temporary()).toEqual([]);
    } finally {
      CLEAN_ENV.PATH = PATH;
    }
  });

  it('waits for its turn, for a while', async () => {
    const files = panel.app.get(OverlayFiles, { strict: false });
    const { unpackings } = files;
    files.unpackings = new UserPlaces(1, 'busy', 50);
    try {
      const id = await overlay();
      const tar = await packed({ a: 'x' });
      let end = (): void => undefined;
      const others = files.unpackings.hold(0, () => new Promise<void>((done) => (end = done)), AbortSignal.any([]));
      const refused = await archive(anna, id, tar).expect(503);
      expect(refused.headers['retry-after']).toBe('15');
      expect(refused.body.detail).toBe('The panel is already busy: send this again in a moment.');
      expect(await changedAt(id)).toBeNull();
      expect(await temporary()).toEqual([]);
      end();
      await others;
      await archive(anna, id, tar).expect(200);
    } finally {
      files.unpackings = unpackings;
    }
  });

  it('is taken from nobody else, nor while a build runs', async () => {
    const id = await overlay();
    const tar = await packed({ a: 'x' });
    await archive(ben, id, tar).expect(404);
    const build = await runningBuild(id);
    expect((await archive(anna, id, tar).expect(409)).body.detail).toContain(`job ${build}`);
    await endBuild(build);
    await archive(anna, id, tar).expect(200);
  });
});

describe('the draft', () => {
  it('is rearranged by moving, renaming and making folders, never over what is there', async () => {
    const id = await overlay();
    const move = (from: string, to: string, more = {}) => anna.post(at(id, 'files/move')).send({ from, to, ...more });
    await put(id, 'addons/a.txt', 'a').expect(200);
    await put(id, 'b.txt', 'b').expect(200);
    await move('addons', 'left4dead2/addons').expect(204);
    await move('b.txt', 'left4dead2/addons/a.txt').expect(409);
    await move('b.txt', 'left4dead2').expect(409);
    await move('gone', 'x').expect(404);
    await move('left4dead2', 'left4dead2/x').expect(400);
    await move('b.txt', '../b.txt').expect(400);
    await ben.post(at(id, 'files/move')).send({ from: 'b.txt', to: 'c.txt' }).expect(404);
    expect(await filesOf(id)).toEqual({ 'left4dead2/addons/a.txt': 'a', 'b.txt': 'b' });
    await move('b.txt', 'left4dead2/addons/a.txt', { replace: true }).expect(204);
    expect(await filesOf(id)).toEqual({ 'left4dead2/addons/a.txt': 'b' });
    await anna.post(at(id, 'folders')).send({ path: 'left4dead2/cfg' }).expect(204);
    await anna.post(at(id, 'folders')).send({ path: 'left4dead2/cfg' }).expect(409);
    expect((await readdir(path.join(folderOf(id), 'left4dead2'))).sort()).toEqual(['addons', 'cfg']);
  });

  it('lets two people who edit a file know of each other', async () => {
    const id = await overlay();
    await put(id, 'a.cfg', 'first').expect(200);
    const { etag = '' } = (await anna.get(content(id, 'a.cfg')).expect(200)).headers;
    const saved = await put(id, 'a.cfg', 'mine').set('If-Match', etag).expect(200);
    expect(saved.headers['etag']).toBe(saved.body.etag);
    expect((await put(id, 'a.cfg', 'theirs').set('If-Match', etag).expect(412)).body.detail).toContain('a.cfg');
    await put(id, 'a.cfg', 'mine again').set('If-Match', saved.body.etag).expect(200);
    expect(await filesOf(id)).toEqual({ 'a.cfg': 'mine again' });
  });

  it('tells what the game will not take', async () => {
    const id = await overlay();
    await put(id, 'addons/broken.vpk', 'nonsense').expect(200);
    await put(id, 'left4dead2/cfg/server.cfg', 'hostname x\n// für\n').expect(200);
    const { items, more } = (await anna.get(at(id, 'warnings')).expect(200)).body;
    expect(more).toBe(false);
    expect(items).toEqual([
      { kind: 'misplaced', path: 'addons', belongsTo: 'left4dead2/addons' },
      { kind: 'broken-vpk', path: 'addons/broken.vpk', problem: expect.stringContaining('34 12 aa 55') },
      { kind: 'non-ascii-cfg', path: 'left4dead2/cfg/server.cfg', line: 2 },
    ]);
    await ben.get(at(id, 'warnings')).expect(404);
  });

  it('is not built with a VPK that would crash the game', async () => {
    const id = await overlay();
    await put(id, 'left4dead2/addons/broken.vpk', 'nonsense').expect(200);
    const lines: string[] = [];
    const output = { write: async (_stream: string, line: string) => void lines.push(line), progress: () => undefined };
    const run = { signal: new AbortController().signal, output };
    await expect(panel.app.get(DraftCheck, { strict: false }).ready(id, run)).rejects.toMatchObject({
      code: 'broken-vpk',
      message: expect.stringContaining('left4dead2/addons/broken.vpk'),
    });
    expect(lines.join()).toContain('34 12 aa 55');
    await anna.delete(content(id, 'left4dead2/addons/broken.vpk')).expect(204);
    await panel.app.get(DraftCheck, { strict: false }).ready(id, run);
  });

  it('does not lead anywhere else by a link in it', async () => {
    const id = await overlay();
    await put(id, 'a', 'x').expect(200);
    await symlink(work, path.join(folderOf(id), 'out'));
    await archive(anna, id, await packed({ 'out/evil': 'x' })).expect(400);
    await archive(anna, id, await packed({ evil: 'x' }), '?target=out').expect(400);
    await anna.post(at(id, 'files/move')).send({ from: 'a', to: 'out/a' }).expect(400);
    await anna.post(at(id, 'folders')).send({ path: 'out/folder' }).expect(400);
    expect((await readdir(work)).filter((name) => !name.startsWith('source-'))).toEqual([]);
  });
});

describe('an upload in pieces', () => {
  const begin = async (id: number, body: object) =>
    (await anna.post(at(id, 'uploads')).send(body).expect(201)).body as { id: number; offset: number };
  const send = (upload: number, offset: number, bytes: Buffer | string) =>
    anna
      .patch(`/api/v1/uploads/${upload}?offset=${offset}`)
      .set('Content-Type', 'application/octet-stream')
      .send(bytes);
  const finish = (upload: number) => anna.post(`/api/v1/uploads/${upload}/finish`);

  it('goes on where it broke off, and is finished once however often that is asked for', async () => {
    const id = await overlay();
    const upload = await begin(id, { path: 'left4dead2/a.txt', size: 10 });
    expect(upload).toMatchObject({ offset: 0, finished: false, path: 'left4dead2/a.txt', archive: null });
    expect((await send(upload.id, 0, '01234').expect(200)).body.offset).toBe(5);
    expect((await send(upload.id, 0, 'again').expect(409)).body.detail).toContain('at offset 5');
    expect((await finish(upload.id).expect(409)).body.detail).toContain('5 of 10 bytes');
    expect((await anna.get(`/api/v1/uploads/${upload.id}`).expect(200)).body.offset).toBe(5);
    await send(upload.id, 5, '56789').expect(200);
    const first = await finish(upload.id).set('Idempotency-Key', `finish-${upload.id}`).expect(200);
    expect(first.body).toMatchObject({ finished: true, result: { path: 'left4dead2/a.txt', size: 10 } });
    expect((await finish(upload.id).set('Idempotency-Key', `finish-${upload.id}`).expect(200)).body).toEqual(
      first.body,
    );
    expect((await finish(upload.id).expect(200)).body).toEqual(first.body);
    expect(await filesOf(id)).toEqual({ 'left4dead2/a.txt': '0123456789' });
    expect(await temporary()).toEqual([]);
  });

  it('keeps what has come of a piece that breaks off', async () => {
    const id = await overlay();
    const upload = await begin(id, { path: 'a', size: 1_000_000 });
    const { headers } = await panel.anonymous
      .post('/api/v1/auth/login')
      .send({ username: 'anna', password: 'correct horse battery' })
      .expect(200);
    const cookie = String(headers['set-cookie']).split(';', 1)[0] ?? '';
    const piece = httpRequest(`${panel.url}/api/v1/uploads/${upload.id}?offset=0`, {
      method: 'PATCH',
      headers: { Cookie: cookie, 'Content-Length': '1000000' },
    });
    piece.once('error', () => undefined);
    piece.write(Buffer.alloc(100_000, 'a'));
    const offset = async () => (await anna.get(`/api/v1/uploads/${upload.id}`)).body.offset;
    await expect.poll(offset).toBe(100_000);
    piece.destroy();
    await expect.poll(async () => (await send(upload.id, 100_000, Buffer.alloc(900_000, 'b'))).status).toBe(200);
    await finish(upload.id).expect(200);
    expect((await filesOf(id))['a']).toBe('a'.repeat(100_000) + 'b'.repeat(900_000));
  });

  it('finishes after a crash in the middle of finishing', async () => {
    const id = await overlay();
    const upload = await begin(id, { path: 'a', size: 1 });
    await send(upload.id, 0, 'x').expect(200);
    await finish(upload.id).expect(200);
    // As if the process had been killed before it wrote down that the file has its place.
    await sql(`UPDATE draft_uploads SET result = NULL WHERE id = $1`, [upload.id]);
    await writeFile(path.join(panel.settings.root, `drafts/.tmp/upload-${upload.id}`), 'x');
    await finish(upload.id).expect(200);
    expect(await filesOf(id)).toEqual({ a: 'x' });
  });

  it('may be an archive', async () => {
    const id = await overlay();
    const tar = await packed({ 'cfg/a.cfg': 'a' });
    const upload = await begin(id, { archive: { target: 'left4dead2', mode: 'merge' }, size: tar.length });
    await send(upload.id, 0, tar.subarray(0, 1_000)).expect(200);
    await send(upload.id, 1_000, tar.subarray(1_000)).expect(200);
    expect((await finish(upload.id).expect(200)).body.result).toMatchObject({ files: 1, bytes: 1 });
    expect(await filesOf(id)).toEqual({ 'left4dead2/cfg/a.cfg': 'a' });
  });

  it('is its user’s, of its size, and told to be lost when it is', async () => {
    const id = await overlay();
    await anna.post(at(id, 'uploads')).send({ size: 1 }).expect(400);
    await anna
      .post(at(id, 'uploads'))
      .send({ path: 'a', size: 3 * 1024 ** 3 })
      .expect(413);
    await ben.post(at(id, 'uploads')).send({ path: 'a', size: 1 }).expect(404);
    const upload = await begin(id, { path: 'a', size: 3 });
    await ben.get(`/api/v1/uploads/${upload.id}`).expect(404);
    await send(upload.id, 0, 'four').expect(413);
    const { offset } = (await anna.get(`/api/v1/uploads/${upload.id}`)).body;
    await send(upload.id, offset, 'xyz'.slice(offset)).expect(200);
    await rm(path.join(panel.settings.root, `drafts/.tmp/upload-${upload.id}`));
    expect((await finish(upload.id).expect(409)).body.detail).toContain('is lost');
    await anna.delete(`/api/v1/uploads/${upload.id}`).expect(204);
    await anna.get(`/api/v1/uploads/${upload.id}`).expect(404);
    expect(await filesOf(id).catch(() => ({}))).toEqual({});
  });

  it('is refused before its bytes come when its place cannot take it', async () => {
    const id = await overlay();
    await put(id, 'a.txt', 'x').expect(200);
    for (const [place, field] of [
      [{ path: '../x' }, 'path'],
      [{ path: 'a.txt/b' }, 'path'],
      [{ archive: { target: 'a.txt', mode: 'merge' } }, 'archive.target'],
    ] as const) {
      const refused = await anna
        .post(at(id, 'uploads'))
        .send({ ...place, size: 1 })
        .expect(400);
      expect(refused.body.errors).toMatchObject([{ path: field }]);
    }
    expect(await sql('SELECT id FROM draft_uploads WHERE overlay_id = $1', [id])).toEqual([]);
  });

  it('is not begun without end, and goes after a day', async () => {
    const id = await overlay();
    const upload = await begin(id, { path: 'a', size: 1 });
    const sizes = Array.from({ length: 19 }, (_, n) => begin(id, { path: `b${n}`, size: 1 }));
    await Promise.all(sizes);
    expect((await anna.post(at(id, 'uploads')).send({ path: 'c', size: 1 }).expect(409)).body.detail).toContain('20');
    await panel.app.get(DraftUploads, { strict: false }).sweep();
    await anna.get(`/api/v1/uploads/${upload.id}`).expect(200);
    await panel.app.get(DraftUploads, { strict: false }).sweep(new Date(Date.now() + 25 * 3600_000));
    await anna.get(`/api/v1/uploads/${upload.id}`).expect(404);
    expect(await temporary()).toEqual([]);
  });
});

describe('a change of a draft and a build that meet', () => {
  it('are kept apart: the build waits for the change, a change that comes later is refused', async () => {
    const leases = panel.app.get(DraftLeases, { strict: false });
    const id = await overlay();
    const events: string[] = [];
    let finish = (): void => undefined;
    const changing = leases.during({ id, name: 'x' }, async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      events.push('changed');
    });
    await expect.poll(() => sql(`SELECT 1 FROM draft_leases WHERE overlay_id = $1`, [id])).toHaveLength(1);
    await expect.poll(() => changedAt(id)).not.toBeNull();
    const build = await runningBuild(id);
    const ready = leases.none(id, new AbortController().signal).then(() => events.push('copied'));
    const change = async () => void events.push('never');
    await expect(leases.during({ id, name: 'x' }, change)).rejects.toThrow(`job ${build}`);
    finish();
    await Promise.all([changing, ready]);
    expect(events).toEqual(['changed', 'copied']);
    expect(await sql(`SELECT 1 FROM draft_leases WHERE overlay_id = $1`, [id])).toEqual([]);
  });

  it('does not wait for somebody who was killed in the middle, whose draft counts as changed', async () => {
    const leases = panel.app.get(DraftLeases, { strict: false });
    const id = await overlay();
    await sql(`INSERT INTO draft_leases (overlay_id, expires_at) VALUES ($1, clock_timestamp() - interval '1 s')`, [
      id,
    ]);
    await leases.none(id, new AbortController().signal);
    const before = leases.during({ id, name: 'x' }, async () => {
      expect(await changedAt(id)).not.toBeNull();
      throw new Error('killed');
    });
    await expect(before).rejects.toThrow('killed');
    expect(await changedAt(id)).not.toBeNull();
  });
});
