import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FILE_LIMIT, OverlayFiles } from '../src/overlays/overlay-files.service.js';
import { type Agent, startApp, type TestApp } from './app.js';
import { eventually } from './eventually.js';

let panel: TestApp;
let anna: Agent;
let ben: Agent;
let hostId: number;

const URL = '/api/v1/overlays';
let count = 0;
const fresh = (prefix: string) => `${prefix}-${(count += 1)}`;
const overlay = async (agent: Agent, body: object = {}) =>
  (
    await agent
      .post(URL)
      .send({ name: fresh('overlay'), ...body })
      .expect(201)
  ).body;
const content = (id: number, file: string, more = '') =>
  `${URL}/${id}/files/content?path=${encodeURIComponent(file)}${more}`;
const put = (agent: Agent, id: number, file: string, body: string | Buffer, type = 'application/octet-stream') =>
  agent.put(content(id, file)).set('Content-Type', type).send(body);
const sql = (text: string, values: unknown[] = []) => panel.database.query(text, values);
const folderOf = (id: number) => path.join(panel.settings.root, 'drafts', String(id));
/** Every file and folder below LEFT4ME_ROOT but what is inside `.tmp`, and what the overlays' rows say. */
const everything = async () => ({
  disk: (await readdir(panel.settings.root, { recursive: true }))
    .toSorted()
    .filter((name) => !/(^|\/)\.tmp$/.test(name)),
  rows: await sql(`SELECT json_agg(o ORDER BY id) AS overlays FROM overlays o`),
});
const buildJob = async (overlayId: number, state: string) => {
  const [row] = await sql(
    `INSERT INTO jobs (operation, host_id, overlay_id, overlay_name, state, started_at, finished_at)
     VALUES ('build-overlay', $1, $2, 'x', $3, CASE WHEN $3 <> 'queued' THEN clock_timestamp() END,
       CASE WHEN $3 = 'succeeded' THEN clock_timestamp() END) RETURNING id`,
    [hostId, overlayId, state],
  );
  return row.id as number;
};
const publish = async (overlayId: number, number: number, files: Record<string, string>) => {
  await sql(
    `INSERT INTO overlay_revisions (overlay_id, number, current, files, bytes, content_hash) VALUES ($1, $2, true, 1, 1, 'x')`,
    [overlayId, number],
  );
  for (const [file, text] of Object.entries(files)) {
    const target = path.join(panel.settings.root, 'overlays', String(overlayId), String(number), file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }
};

beforeAll(async () => {
  panel = await startApp();
  await sql(`INSERT INTO hosts (name) VALUES ('local') ON CONFLICT DO NOTHING`);
  [{ id: hostId }] = await sql(`SELECT id FROM hosts WHERE name = 'local'`);
  [anna, ben] = [await panel.user('anna'), await panel.user('ben')];
});
afterAll(() => panel.close());

describe('an overlay', () => {
  it('is made, read, listed, changed and deleted', async () => {
    const made = await overlay(anna, { description: 'maps' });
    expect(made).toEqual({
      id: expect.any(Number),
      name: made.name,
      description: 'maps',
      kind: 'files',
      missingItems: null,
      catalog: false,
      ownerId: expect.any(Number),
      ownerName: 'anna',
      draft: { files: 0, bytes: 0, modifiedAt: null, changed: false },
      currentRevision: null,
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect((await anna.get(`${URL}/${made.id}`).expect(200)).body).toEqual(made);
    const list = await anna.get(`${URL}?limit=1`).expect(200);
    expect(list.body.items).toEqual([made]);
    const changed = await anna.patch(`${URL}/${made.id}`).send({ name: 'renamed' }).expect(200);
    expect(changed.body).toMatchObject({ name: 'renamed', description: 'maps' });
    await put(anna, made.id, 'a/b.txt', 'x').expect(200);
    await publish(made.id, 1, { 'a/b.txt': 'x' });
    await anna.delete(`${URL}/${made.id}`).expect(204);
    await anna.get(`${URL}/${made.id}`).expect(404);
    // The revisions are the worker's to remove (overlay-removal.spec.ts).
    expect(await readdir(path.join(panel.settings.root, 'drafts'))).not.toContain(String(made.id));
  });

  it('goes back to a revision that is there, when its owner says so and no build is unfinished', async () => {
    const made = await overlay(anna);
    await publish(made.id, 1, {});
    await sql(`UPDATE overlay_revisions SET current = false WHERE overlay_id = $1`, [made.id]);
    await publish(made.id, 2, {});
    const goTo = (agent: Agent, number: unknown) => agent.put(`${URL}/${made.id}/current-revision`).send({ number });
    const before = await sql(`SELECT number, current FROM overlay_revisions WHERE overlay_id = $1`, [made.id]);
    const job = await buildJob(made.id, 'queued');
    expect((await goTo(anna, 1).expect(409)).body.detail).toContain(`is being built by job ${job}`);
    await sql(`DELETE FROM jobs WHERE id = $1`, [job]);
    await goTo(anna, 3).expect(404);
    await goTo(ben, 1).expect(404);
    for (const number of [0, 1.5, 'one', null]) {
      expect((await goTo(anna, number).expect(400)).body.errors).toMatchObject([{ path: 'number' }]);
    }
    expect(await sql(`SELECT number, current FROM overlay_revisions WHERE overlay_id = $1`, [made.id])).toEqual(before);
    expect((await goTo(anna, 1).expect(200)).body.currentRevision).toMatchObject({ number: 1 });
    // Asked twice, it is as asked.
    expect((await goTo(anna, 1).expect(200)).body.currentRevision).toMatchObject({ number: 1 });
  });

  it('is in the catalog for everybody to read and for admins to change', async () => {
    await anna
      .post(URL)
      .send({ name: fresh('overlay'), catalog: true })
      .expect(403);
    const made = await overlay(panel.admin, { catalog: true });
    expect(made).toMatchObject({ catalog: true, ownerId: null, ownerName: null });
    await put(panel.admin, made.id, 'a.txt', 'shared').expect(200);
    await anna.get(`${URL}/${made.id}`).expect(200);
    await anna.get(`${URL}/${made.id}/revisions`).expect(200);
    expect((await anna.get(content(made.id, 'a.txt')).expect(200)).body.toString()).toBe('shared');
    const before = await everything();
    await anna.patch(`${URL}/${made.id}`).send({ name: 'mine' }).expect(403);
    await anna.delete(`${URL}/${made.id}`).expect(403);
    await anna.post(`${URL}/${made.id}/builds`).expect(403);
    await put(anna, made.id, 'b.txt', 'x').expect(403);
    await anna.delete(content(made.id, 'a.txt')).expect(403);
    expect(await everything()).toEqual(before);
    expect(await sql(`SELECT 1 FROM jobs WHERE overlay_id = $1`, [made.id])).toEqual([]);
  });

  it('is otherwise its owner’s and the admins’', async () => {
    const made = await overlay(anna);
    await put(anna, made.id, 'a.txt', 'private').expect(200);
    const before = await everything();
    await ben.get(`${URL}/${made.id}`).expect(404);
    await ben.get(`${URL}/${made.id}/revisions`).expect(404);
    await ben.get(`${URL}/${made.id}/files`).expect(404);
    await ben.get(content(made.id, 'a.txt')).expect(404);
    await ben.patch(`${URL}/${made.id}`).send({ name: 'mine' }).expect(404);
    await ben.delete(`${URL}/${made.id}`).expect(404);
    await ben.post(`${URL}/${made.id}/builds`).expect(404);
    await put(ben, made.id, 'a.txt', 'x').expect(404);
    await ben.delete(content(made.id, 'a.txt')).expect(404);
    await put(panel.anonymous, made.id, 'a.txt', 'x').expect(401);
    expect(await everything()).toEqual(before);
    expect((await ben.get(`${URL}?limit=500`)).body.items.map(({ id }: { id: number }) => id)).not.toContain(made.id);
    await put(panel.admin, made.id, 'b.txt', 'x').expect(200);
  });

  it('has a name that its owner, or the catalog, has not given before', async () => {
    const own = await overlay(anna);
    const shared = await overlay(panel.admin, { catalog: true });
    const refused = await anna.post(URL).send({ name: own.name }).expect(409);
    expect(refused.body.detail).toBe(`There is an overlay named ${own.name} already.`);
    await panel.admin.post(URL).send({ name: shared.name, catalog: true }).expect(409);
    await anna
      .patch(`${URL}/${(await overlay(anna)).id}`)
      .send({ name: own.name })
      .expect(409);
    await ben.post(URL).send({ name: own.name }).expect(201);
  });

  it('is kept while blueprints use it, or a build of it waits', async () => {
    const made = await overlay(anna);
    await anna
      .post('/api/v1/blueprints')
      .send({ name: 'friday', overlays: [{ overlayId: made.id }] })
      .expect(201);
    const used = await anna.delete(`${URL}/${made.id}`).expect(409);
    expect(used.body.detail).toContain('friday');
    const built = await overlay(anna);
    await put(anna, built.id, 'a.txt', 'x').expect(200);
    await buildJob(built.id, 'queued');
    expect((await anna.delete(`${URL}/${built.id}`).expect(409)).body.detail).toMatch(/build of it waits/);
    expect(await readdir(folderOf(built.id))).toEqual(['a.txt']);
  });

  it('is built by a job', async () => {
    const made = await overlay(anna);
    const { body, headers } = await anna.post(`${URL}/${made.id}/builds`).expect(202);
    expect(body).toMatchObject({
      operation: 'build-overlay',
      overlayId: made.id,
      overlayName: made.name,
      userName: 'anna',
    });
    expect(headers.location).toBe(`/api/v1/jobs/${body.id}`);
  });

  it.each<[string, object, string, RegExp]>([
    ['an empty name', { name: '' }, 'name', /longer/],
    ['a name with NUL', { name: 'a\0' }, 'name', /control characters/],
    ['a long name', { name: 'x'.repeat(65) }, 'name', /64/],
    ['a description that is null', { description: null }, 'description', /string/],
    ['an unknown field', { colour: 'red' }, 'colour', /not a field/],
  ])('is not made or changed with %s', async (_what, wrong, field, message) => {
    const made = await overlay(anna);
    const before = await everything();
    for (const request of [
      anna.post(URL).send({ name: fresh('overlay'), ...wrong }),
      anna.patch(`${URL}/${made.id}`).send(wrong),
    ]) {
      const refused = await request.expect(400);
      expect(refused.body.errors).toContainEqual({ path: field, message: expect.stringMatching(message) });
    }
    expect(await everything()).toEqual(before);
  });
});

describe('the draft', () => {
  it('takes files of every type at any depth, and lists them', async () => {
    const { id } = await overlay(anna);
    const entry = await put(anna, id, 'left4dead2/cfg/server.cfg', 'sv_region 3').expect(200);
    expect(entry.body).toEqual({
      name: 'server.cfg',
      path: 'left4dead2/cfg/server.cfg',
      type: 'file',
      size: 11,
      etag: expect.any(String),
      modifiedAt: expect.any(String),
    });
    await put(anna, id, 'left4dead2/cfg/a.json', '{"not": json', 'application/json').expect(200);
    await put(anna, id, 'left4dead2/cfg/form', 'a=1', 'application/x-www-form-urlencoded').expect(200);
    const form = await put(anna, id, 'left4dead2/cfg/form', '--x--', 'multipart/form-data; boundary=x').expect(415);
    expect(form.body.detail).toBe('Send the file as it is (curl --upload-file), not as a form.');
    await put(anna, id, 'left4dead2/empty', '').expect(200);
    const root = await anna.get(`${URL}/${id}/files`).expect(200);
    expect(root.body).toMatchObject({ path: '', items: [{ name: 'left4dead2', type: 'directory' }], nextCursor: null });
    const folder = await anna.get(`${URL}/${id}/files?path=left4dead2`).expect(200);
    expect(
      folder.body.items.map(({ path: file, type, size }: { path: string; type: string; size: number }) => [
        file,
        type,
        size,
      ]),
    ).toEqual([
      ['left4dead2/cfg', 'directory', 0],
      ['left4dead2/empty', 'file', 0],
    ]);
    expect(await readFile(path.join(folderOf(id), 'left4dead2/cfg/a.json'), 'utf8')).toBe('{"not": json');
    const { draft } = (await anna.get(`${URL}/${id}`).expect(200)).body;
    expect(draft).toEqual({ files: 4, bytes: 26, modifiedAt: expect.any(String), changed: true });
    await anna.get(`${URL}/${id}/files?path=nowhere`).expect(404);
  });

  it('replaces and removes files and folders', async () => {
    const { id } = await overlay(anna);
    await put(anna, id, 'a/one', '1').expect(200);
    await put(anna, id, 'a/one', 'another').expect(200);
    await put(anna, id, 'a/two', '2').expect(200);
    expect((await anna.get(`${URL}/${id}`)).body.draft).toMatchObject({ files: 2, bytes: 8 });
    await anna.delete(content(id, 'a/two')).expect(204);
    await anna.delete(content(id, 'a/two')).expect(404);
    await anna.delete(content(id, 'a')).expect(204);
    expect(await readdir(folderOf(id))).toEqual([]);
    expect((await anna.get(`${URL}/${id}`)).body.draft).toMatchObject({ files: 0, bytes: 0, changed: true });
  });

  it('is unchanged after a build that began after the last write, until the next write', async () => {
    const { id } = await overlay(anna);
    const changed = async () => (await anna.get(`${URL}/${id}`)).body.draft.changed;
    await put(anna, id, 'a', '1').expect(200);
    expect(await changed()).toBe(true);
    await buildJob(id, 'succeeded');
    expect(await changed()).toBe(false);
    await put(anna, id, 'a', '2').expect(200);
    expect(await changed()).toBe(true);
  });

  it('is not written while a build of it runs', async () => {
    const { id } = await overlay(anna);
    await put(anna, id, 'a', '1').expect(200);
    const job = await buildJob(id, 'running');
    const before = await everything();
    expect((await put(anna, id, 'a', '2').expect(409)).body.detail).toContain(`job ${job}`);
    await anna.delete(content(id, 'a')).expect(409);
    expect(await everything()).toEqual(before);
    expect(await readFile(path.join(folderOf(id), 'a'), 'utf8')).toBe('1');
    await anna.get(content(id, 'a')).expect(200);
  });

  it.each([
    '../x',
    'a/../../x',
    '..',
    '/etc/x',
    '/',
    'a//b',
    'a/',
    './a',
    'a/./b',
    'a\0b',
    'a\nb',
    '',
    'x'.repeat(300),
    'x/'.repeat(2000) + 'x',
  ])('refuses the path %j and writes nothing', async (file) => {
    const { id } = await overlay(anna);
    await put(anna, id, 'kept', '1').expect(200);
    const before = await everything();
    for (const request of [put(anna, id, file, 'x'), anna.delete(content(id, file)), anna.get(content(id, file))]) {
      const refused = await request.expect(400);
      expect(refused.body.errors).toEqual([{ path: 'path', message: expect.any(String) }]);
    }
    expect(await everything()).toEqual(before);
  });

  it('follows no link, wherever it stands', async () => {
    const { id } = await overlay(anna);
    const outside = path.join(panel.settings.root, 'outside');
    await mkdir(outside, { recursive: true });
    await writeFile(path.join(outside, 'secret'), 'secret');
    await put(anna, id, 'kept', '1').expect(200);
    await symlink(outside, path.join(folderOf(id), 'folder'));
    await symlink(path.join(outside, 'secret'), path.join(folderOf(id), 'file'));
    const before = await everything();
    for (const file of ['folder/x', 'folder/secret', 'file']) {
      expect((await put(anna, id, file, 'x').expect(400)).body.errors[0].path).toBe('path');
      expect((await anna.get(content(id, file)).expect(400)).body.errors[0].path).toBe('path');
    }
    await anna.delete(content(id, 'folder/secret')).expect(400);
    expect(await everything()).toEqual(before);
    expect(await readFile(path.join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  it('keeps files and folders apart', async () => {
    const { id } = await overlay(anna);
    await put(anna, id, 'file', '1').expect(200);
    await put(anna, id, 'folder/file', '1').expect(200);
    const before = await everything();
    await put(anna, id, 'file/below', 'x').expect(400);
    await put(anna, id, 'folder', 'x').expect(400);
    await anna.get(`${URL}/${id}/files?path=file`).expect(400);
    await anna.get(`${URL}/${id}/files?path=../${id}`).expect(400);
    await anna.get(content(id, 'file/below')).expect(400);
    await anna.delete(content(id, 'file/below')).expect(400);
    await anna.delete(content(id, 'missing/file')).expect(404);
    expect(await everything()).toEqual(before);
  });

  it('takes names that are unusual but allowed', async () => {
    const { id } = await overlay(anna);
    const names = ['a b', ' leading', 'ü\u{1F600}', 'back\\slash', '%2e%2e', '..x', '.hidden', 'a:b,c', "it's"];
    for (const name of names) {
      expect((await put(anna, id, `d/${name}`, name).expect(200)).body.path).toBe(`d/${name}`);
      expect((await anna.get(content(id, `d/${name}`)).expect(200)).body.toString()).toBe(name);
    }
    expect((await readdir(path.join(folderOf(id), 'd'))).toSorted()).toEqual(names.toSorted());
  });

  it('refuses a missing path, two of them, and unknown parameters', async () => {
    const { id } = await overlay(anna);
    const before = await everything();
    for (const query of ['', '?path=a&path=b', '?path=a&mode=777']) {
      await anna.put(`${URL}/${id}/files/content${query}`).send('x').expect(400);
    }
    expect(await everything()).toEqual(before);
  });

  it.each([
    ['that says its length', { 'Content-Length': String(2 * 1024 ** 3 + 1) }, 10],
    ['that does not say its length', { 'Transfer-Encoding': 'chunked' }, 3_000_000],
  ])('refuses a file over the limit %s, and answers', async (_what, headers, bytes) => {
    const { id } = await overlay(anna);
    await put(anna, id, 'kept', '1').expect(200);
    const before = await everything();
    const files = panel.app.get(OverlayFiles);
    const cookie = await cookieOf('anna');
    try {
      if (bytes > 10) files.limit = 1_000_000;
      const status = await new Promise<number | undefined>((resolve, reject) => {
        const request = httpRequest(`${panel.url}${content(id, 'kept')}`, {
          method: 'PUT',
          headers: { Cookie: cookie, ...headers },
        });
        request.once('error', reject);
        request.once('response', (response) => {
          resolve(response.statusCode);
          request
            .off('error', reject)
            .once('error', () => undefined)
            .destroy();
        });
        request.write(Buffer.alloc(bytes));
      });
      expect(status).toBe(413);
    } finally {
      files.limit = FILE_LIMIT;
    }
    expect(await everything()).toEqual(before);
    expect(await readdir(path.join(panel.settings.root, 'drafts', '.tmp'))).toEqual([]);
    expect(await readFile(path.join(folderOf(id), 'kept'), 'utf8')).toBe('1');
  });

  it('keeps nothing of an upload that is cut off', async () => {
    const { id } = await overlay(anna);
    await put(anna, id, 'kept', '1').expect(200);
    const before = await everything();
    const request = httpRequest(`${panel.url}${content(id, 'kept')}`, {
      method: 'PUT',
      headers: { Cookie: await cookieOf('anna'), 'Content-Length': '1000000' },
    });
    request.on('error', () => undefined); // it is cut
    request.write(Buffer.alloc(100_000));
    const unfinished = () => readdir(path.join(panel.settings.root, 'drafts', '.tmp'));
    await eventually('the upload has begun', async () => (await unfinished()).length === 1);
    request.destroy();
    await eventually('nothing of it is left', async () => (await unfinished()).length === 0);
    expect(await everything()).toEqual(before);
    expect(await readFile(path.join(folderOf(id), 'kept'), 'utf8')).toBe('1');
  });
});

/** A session's cookie, for requests that supertest cannot make. */
async function cookieOf(name: string): Promise<string> {
  const { headers } = await panel.anonymous
    .post('/api/v1/auth/login')
    .send({ username: name, password: 'correct horse battery' })
    .expect(200);
  return String(headers['set-cookie']).split(';', 1)[0] ?? '';
}

describe('a download', () => {
  it('is an attachment that no browser runs, whatever it is', async () => {
    const { id } = await overlay(anna);
    await put(anna, id, 'web/Zoë "x".html', '<script>alert(1)</script>', 'text/html').expect(200);
    const { headers, body } = await anna.get(content(id, 'web/Zoë "x".html')).expect(200);
    expect(headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-disposition': `attachment; filename="Zo? \\"x\\".html"; filename*=UTF-8''Zo%C3%AB%20%22x%22.html`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': 'sandbox',
      'accept-ranges': 'bytes',
      'content-length': '25',
    });
    expect(body.toString()).toBe('<script>alert(1)</script>');
    await put(anna, id, 'empty', '').expect(200);
    expect((await anna.get(content(id, 'empty')).expect(200)).headers['content-length']).toBe('0');
    await anna.get(content(id, 'web')).expect(400);
    await anna.get(content(id, 'nothing')).expect(404);
  });

  it('answers a range', async () => {
    const { id } = await overlay(anna);
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
    await put(anna, id, 'a.vpk', bytes).expect(200);
    const whole = await anna.get(content(id, 'a.vpk')).expect(200);
    expect(Buffer.compare(whole.body, bytes)).toBe(0);
    const ranges: [string, number, number][] = [
      ['bytes=0-0', 0, 0],
      ['bytes=65530-65545', 65_530, 65_545],
      ['bytes=199990-', 199_990, 199_999],
      ['bytes=-5', 199_995, 199_999],
      ['bytes=199999-300000', 199_999, 199_999],
    ];
    for (const [range, start, end] of ranges) {
      const { body, headers } = await anna.get(content(id, 'a.vpk')).set('Range', range).expect(206);
      expect(headers['content-range']).toBe(`bytes ${start}-${end}/200000`);
      expect(Buffer.compare(body, bytes.subarray(start, end + 1))).toBe(0);
    }
    const outside = await anna.get(content(id, 'a.vpk')).set('Range', 'bytes=200000-').expect(416);
    expect(outside.headers['content-range']).toBe('bytes */200000');
    expect(outside.headers['content-disposition']).toBeUndefined();
    for (const range of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=x']) {
      await anna.get(content(id, 'a.vpk')).set('Range', range).expect(200);
    }
    const since = whole.headers['last-modified'] ?? '';
    await anna.get(content(id, 'a.vpk')).set('Range', 'bytes=0-1').set('If-Range', since).expect(206);
    await anna.get(content(id, 'a.vpk')).set('Range', 'bytes=0-1').set('If-Range', '"other"').expect(200);
    const head = await anna.head(content(id, 'a.vpk')).expect(200);
    expect(head.headers['content-length']).toBe('200000');
  });

  it('reads a revision, which nothing changes', async () => {
    const { id } = await overlay(anna);
    await put(anna, id, 'a.txt', 'draft').expect(200);
    await publish(id, 1, { 'a.txt': 'published', 'b/c.txt': 'more' });
    expect((await anna.get(content(id, 'a.txt', '&revision=1')).expect(200)).body.toString()).toBe('published');
    const list = await anna.get(`${URL}/${id}/files?revision=1`).expect(200);
    expect(list.body.items.map(({ name }: { name: string }) => name)).toEqual(['b', 'a.txt']);
    await anna.get(content(id, '../../x', '&revision=1')).expect(400);
    await anna.get(content(id, 'a.txt', '&revision=2')).expect(404);
    await anna.get(content(id, 'a.txt', '&revision=x')).expect(400);
    await put(anna, id, 'a.txt', 'x').query({ revision: 1 }).expect(400);
    const revisions = await anna.get(`${URL}/${id}/revisions`).expect(200);
    expect(revisions.body).toEqual({
      items: [
        {
          id: expect.any(Number),
          number: 1,
          jobId: null,
          userName: null,
          servers: [],
          files: 1,
          bytes: 1,
          contentHash: 'x',
          createdAt: expect.any(String),
          current: true,
          returnedAt: null,
        },
      ],
      nextCursor: null,
    });
    const { servers: _, ...current } = revisions.body.items[0];
    expect((await anna.get(`${URL}/${id}`)).body.currentRevision).toEqual(current);
  });

  it('is told to be elsewhere by a panel that serves another host', async () => {
    const { id } = await overlay(anna);
    await put(anna, id, 'a.txt', 'x').expect(200);
    const settings = panel.settings;
    const before = settings.host;
    try {
      Object.assign(settings, { host: 'far-away' });
      expect((await anna.get(content(id, 'a.txt')).expect(409)).body.detail).toContain('host local');
      await put(anna, id, 'a.txt', 'y').expect(409);
      await anna.get(`${URL}/${id}/files`).expect(409);
      await anna.get(`${URL}/${id}`).expect(200);
    } finally {
      Object.assign(settings, { host: before });
    }
  });
});
