import { rm, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DraftUploads } from '../src/overlays/draft-uploads.service.js';
import { OverlayFiles } from '../src/overlays/overlay-files.service.js';
import { UserPlaces } from '../src/problems/user-places.js';
import { PASSWORD } from './app.js';
import { at, type DraftPanel, startDrafts } from './draft-panel.js';

let drafts: DraftPanel;
let cookie: string;
beforeAll(async () => {
  drafts = await startDrafts();
  const login = drafts.panel.anonymous.post('/api/v1/auth/login').send({ username: 'anna', password: PASSWORD });
  cookie = String((await login.expect(200)).headers['set-cookie']).split(';', 1)[0] ?? '';
});
afterAll(() => drafts.close());

describe('an upload in pieces', () => {
  const begin = async (id: number, body: object) =>
    (await drafts.anna.post(at(id, 'uploads')).send(body).expect(201)).body as { id: number; offset: number };
  const send = (upload: number, offset: number, bytes: Buffer | string) =>
    drafts.anna
      .patch(`/api/v1/uploads/${upload}?offset=${offset}`)
      .set('Content-Type', 'application/octet-stream')
      .send(bytes);
  const finish = (upload: number) => drafts.anna.post(`/api/v1/uploads/${upload}/finish`);

  it('goes on where it broke off, and is finished once however often that is asked for', async () => {
    const id = await drafts.overlay();
    const upload = await begin(id, { path: 'left4dead2/a.txt', size: 10 });
    expect(upload).toMatchObject({ offset: 0, finished: false, path: 'left4dead2/a.txt', archive: null });
    expect((await send(upload.id, 0, '01234').expect(200)).body.offset).toBe(5);
    expect((await send(upload.id, 0, 'again').expect(409)).body.detail).toContain('at offset 5');
    expect((await finish(upload.id).expect(409)).body.detail).toContain('5 of 10 bytes');
    expect((await drafts.anna.get(`/api/v1/uploads/${upload.id}`).expect(200)).body.offset).toBe(5);
    await send(upload.id, 5, '56789').expect(200);
    const first = await finish(upload.id).set('Idempotency-Key', `finish-${upload.id}`).expect(200);
    expect(first.body).toMatchObject({ finished: true, result: { path: 'left4dead2/a.txt', size: 10 } });
    expect((await finish(upload.id).set('Idempotency-Key', `finish-${upload.id}`).expect(200)).body).toEqual(
      first.body,
    );
    expect((await finish(upload.id).expect(200)).body).toEqual(first.body);
    expect(await drafts.filesOf(id)).toEqual({ 'left4dead2/a.txt': '0123456789' });
    expect(await drafts.temporary()).toEqual([]);
  });

  /** A request whose body does not come, or that is cut off before its answer. */
  const hanging = (method: string, route: string, length = 0) => {
    const headers = { Cookie: cookie, 'Content-Length': String(length) };
    const piece = httpRequest(`${drafts.panel.url}/api/v1/uploads/${route}`, { method, headers });
    const answer = new Promise<{ status: number | undefined; body: string }>((resolve) => {
      piece.once('response', (got) => void text(got).then((body) => resolve({ status: got.statusCode, body })));
    });
    piece.once('error', () => undefined);
    piece.flushHeaders();
    return { piece, answer };
  };
  const offsetOf = async (upload: number) => (await drafts.anna.get(`/api/v1/uploads/${upload}`)).body.offset;

  /** Lets archives wait for their place until the work is done. */
  const whileBusy = async <T>(work: (free: () => void) => Promise<T>): Promise<T> => {
    const files = drafts.panel.app.get(OverlayFiles, { strict: false });
    const { unpackings } = files;
    files.unpackings = new UserPlaces(1, 'busy', 10_000);
    let free = (): void => undefined;
    const freed = new Promise<void>((resolve) => (free = resolve));
    const busy = files.unpackings.hold(0, () => freed, AbortSignal.any([]));
    try {
      return await work(free);
    } finally {
      free();
      await busy;
      files.unpackings = unpackings;
    }
  };

  it('keeps what has come of a piece that breaks off', async () => {
    const id = await drafts.overlay();
    const upload = await begin(id, { path: 'a', size: 1_000_000 });
    const active = async () => (await drafts.anna.get(at(id, 'uploads'))).body.items[0].active;
    const { piece } = hanging('PATCH', `${upload.id}?offset=0`, 1_000_000);
    piece.write(Buffer.alloc(100_000, 'a'));
    await expect.poll(() => offsetOf(upload.id), { timeout: 15_000 }).toBe(100_000);
    expect(await active()).toBe(true);
    piece.destroy();
    await expect.poll(active, { timeout: 15_000 }).toBe(false);
    await send(upload.id, 100_000, Buffer.alloc(900_000, 'b')).expect(200);
    await finish(upload.id).expect(200);
    expect((await drafts.filesOf(id))['a']).toBe('a'.repeat(100_000) + 'b'.repeat(900_000));
  });

  it('goes on while an older request hangs on a line that broke without a word', async () => {
    const id = await drafts.overlay();
    const upload = await begin(id, { path: 'a', size: 1_000_000 });
    const { piece, answer } = hanging('PATCH', `${upload.id}?offset=0`, 1_000_000);
    piece.write(Buffer.alloc(100_000, 'a'));
    await expect.poll(() => offsetOf(upload.id), { timeout: 15_000 }).toBe(100_000);
    expect((await send(upload.id, 100_000, Buffer.alloc(400_000, 'b')).expect(200)).body.offset).toBe(500_000);
    expect(await answer).toMatchObject({ status: 409, body: expect.stringContaining('newer request') });
    const second = hanging('PATCH', `${upload.id}?offset=500000`, 500_000);
    second.piece.write(Buffer.alloc(100_000, 'c'));
    await expect.poll(() => offsetOf(upload.id), { timeout: 15_000 }).toBe(600_000);
    expect((await finish(upload.id).expect(409)).body.detail).toContain('600000 of 1000000 bytes');
    await send(upload.id, 600_000, Buffer.alloc(400_000, 'd')).expect(200);
    await finish(upload.id).expect(200);
    const [a, b, c, d] = ['a'.repeat(100_000), 'b'.repeat(400_000), 'c'.repeat(100_000), 'd'.repeat(400_000)];
    expect((await drafts.filesOf(id))['a'] === `${a}${b}${c}${d}`).toBe(true);
  });

  it('is finished once, also when the answer gets lost on its way and it is asked for again', async () => {
    const id = await drafts.overlay();
    const tar = await drafts.packed({ 'cfg/a.cfg': 'a' });
    const upload = await begin(id, { archive: { target: '', mode: 'merge' }, size: tar.length });
    await send(upload.id, 0, tar).expect(200);
    const unpack = vi.spyOn(drafts.panel.app.get(OverlayFiles, { strict: false }), 'unpack');
    const again = await whileBusy(async (free) => {
      const lost = hanging('POST', `${upload.id}/finish`);
      lost.piece.end();
      await expect.poll(() => unpack.mock.calls.length, { timeout: 15_000 }).toBe(1);
      lost.piece.destroy();
      expect((await send(upload.id, 0, 'x').expect(409)).body.detail).toContain('is being finished');
      const asked = finish(upload.id).then(({ status, body }) => ({ status, body }));
      free();
      return asked;
    });
    expect(again).toMatchObject({ status: 200, body: { finished: true, result: { files: 1, bytes: 1 } } });
    expect((await finish(upload.id).expect(200)).body).toEqual(again.body);
    expect(unpack).toHaveBeenCalledTimes(1);
    expect(await drafts.filesOf(id)).toEqual({ 'cfg/a.cfg': 'a' });
  });

  it('can be given up while it is being finished', async () => {
    const id = await drafts.overlay();
    const tar = await drafts.packed({ a: 'x' });
    const upload = await begin(id, { archive: { target: '', mode: 'merge' }, size: tar.length });
    await send(upload.id, 0, tar).expect(200);
    await whileBusy(async () => {
      const { piece, answer } = hanging('POST', `${upload.id}/finish`);
      piece.end();
      const detail = async () => (await send(upload.id, 0, 'x')).body.detail;
      await expect.poll(detail, { timeout: 15_000 }).toContain('is being finished');
      await drafts.anna.delete(`/api/v1/uploads/${upload.id}`).expect(204);
      expect((await answer).status).toBe(409);
    });
    expect(await drafts.temporary()).toEqual([]);
    expect(await drafts.filesOf(id).catch(() => ({}))).toEqual({});
  });

  it('tells how many files of an archive it is unpacked to so far', async () => {
    const id = await drafts.overlay();
    const files = drafts.panel.app.get(OverlayFiles, { strict: false });
    let go = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (go = resolve));
    const unpack = vi.spyOn(files, 'unpack').mockImplementationOnce(async (_me, _draft, _place, _archive, how) => {
      how.progress?.(3);
      await waiting;
      return { files: 5, bytes: 5, leftOut: { count: 0, first: [] } };
    });
    const upload = await begin(id, { archive: { target: '', mode: 'merge' }, size: 1 });
    await send(upload.id, 0, 'x').expect(200);
    const finished = finish(upload.id).then(({ body }) => body);
    const seen = async () => (await drafts.anna.get(at(id, 'uploads'))).body.items[0];
    await expect.poll(seen, { timeout: 15_000 }).toMatchObject({ active: true, offset: 1, unpackedFiles: 3 });
    go();
    expect(await finished).toMatchObject({ active: false, finished: true, unpackedFiles: null, result: { files: 5 } });
    unpack.mockRestore();
  });

  it('finishes after a crash in the middle of finishing', async () => {
    const id = await drafts.overlay();
    const upload = await begin(id, { path: 'a', size: 1 });
    await send(upload.id, 0, 'x').expect(200);
    await finish(upload.id).expect(200);
    // As if the process had been killed before it wrote down that the file has its place.
    await drafts.sql(`UPDATE draft_uploads SET result = NULL WHERE id = $1`, [upload.id]);
    await writeFile(path.join(drafts.panel.settings.root, `drafts/.tmp/upload-${upload.id}`), 'x');
    await finish(upload.id).expect(200);
    expect(await drafts.filesOf(id)).toEqual({ a: 'x' });
  });

  it('may be an archive', async () => {
    const id = await drafts.overlay();
    const tar = await drafts.packed({ 'cfg/a.cfg': 'a' });
    const upload = await begin(id, { archive: { target: 'left4dead2', mode: 'merge' }, size: tar.length });
    await send(upload.id, 0, tar.subarray(0, 1_000)).expect(200);
    await send(upload.id, 1_000, tar.subarray(1_000)).expect(200);
    expect((await finish(upload.id).expect(200)).body.result).toMatchObject({ files: 1, bytes: 1 });
    expect(await drafts.filesOf(id)).toEqual({ 'left4dead2/cfg/a.cfg': 'a' });
  });

  it('is its user’s, of its size, and told to be lost when it is', async () => {
    const id = await drafts.overlay();
    await drafts.anna.post(at(id, 'uploads')).send({ size: 1 }).expect(400);
    await drafts.anna
      .post(at(id, 'uploads'))
      .send({ path: 'a', size: 3 * 1024 ** 3 })
      .expect(413);
    await drafts.ben.post(at(id, 'uploads')).send({ path: 'a', size: 1 }).expect(404);
    const upload = await begin(id, { path: 'a', size: 3 });
    await drafts.ben.get(`/api/v1/uploads/${upload.id}`).expect(404);
    await send(upload.id, 0, 'four').expect(413);
    const { offset } = (await drafts.anna.get(`/api/v1/uploads/${upload.id}`)).body;
    await send(upload.id, offset, 'xyz'.slice(offset)).expect(200);
    await rm(path.join(drafts.panel.settings.root, `drafts/.tmp/upload-${upload.id}`));
    expect((await finish(upload.id).expect(409)).body.detail).toContain('is lost');
    await drafts.anna.delete(`/api/v1/uploads/${upload.id}`).expect(204);
    await drafts.anna.get(`/api/v1/uploads/${upload.id}`).expect(404);
    expect(await drafts.filesOf(id).catch(() => ({}))).toEqual({});
  });

  it('is refused before its bytes come when its place cannot take it', async () => {
    const id = await drafts.overlay();
    await drafts.put(id, 'a.txt', 'x').expect(200);
    for (const [place, field] of [
      [{ path: '../x' }, 'path'],
      [{ path: 'a.txt/b' }, 'path'],
      [{ archive: { target: 'a.txt', mode: 'merge' } }, 'archive.target'],
    ] as const) {
      const refused = await drafts.anna
        .post(at(id, 'uploads'))
        .send({ ...place, size: 1 })
        .expect(400);
      expect(refused.body.errors).toMatchObject([{ path: field }]);
    }
    expect(await drafts.sql('SELECT id FROM draft_uploads WHERE overlay_id = $1', [id])).toEqual([]);
  });

  it('is listed for its user until it is finished or given up, with what tells the same file again', async () => {
    const id = await drafts.overlay();
    const source = { name: 'pack.zip', modifiedAt: '2026-11-01T10:00:00.000Z' };
    const list = async () => (await drafts.anna.get(at(id, 'uploads')).expect(200)).body;
    for (const wrong of [{ modifiedAt: 'today' }, { name: 'a\u0000' }, { name: '\ud800' }]) {
      const body = { path: 'a', size: 1, source: { ...source, ...wrong } };
      await drafts.anna.post(at(id, 'uploads')).send(body).expect(400);
    }
    const elsewhere = await begin(await drafts.overlay(), { path: 'elsewhere', size: 1 });
    const file = await begin(id, { path: 'a', size: 1 });
    const archive = await begin(id, { archive: { target: 'cfg', mode: 'merge' }, size: 3, source });
    await send(archive.id, 0, 'PK').expect(200);
    expect(await list()).toMatchObject({
      items: [
        { id: archive.id, path: null, archive: { target: 'cfg', mode: 'merge' }, size: 3, offset: 2, source },
        { id: file.id, path: 'a', archive: null, size: 1, offset: 0, source: null },
      ],
      nextCursor: null,
    });
    await send(file.id, 0, 'x').expect(200);
    await finish(file.id).expect(200);
    await drafts.anna.delete(`/api/v1/uploads/${archive.id}`).expect(204);
    await drafts.anna.delete(`/api/v1/uploads/${elsewhere.id}`).expect(204);
    expect((await list()).items).toEqual([]);
    await drafts.ben.get(at(id, 'uploads')).expect(404);
  });

  it('is not begun without end, not even by many requests at once, and goes after a day', async () => {
    const id = await drafts.overlay();
    const upload = await begin(id, { path: 'a', size: 1 });
    const others = Array.from({ length: 24 }, (_, n) =>
      drafts.anna.post(at(id, 'uploads')).send({ path: `b${n}`, size: 1 }),
    );
    const statuses = (await Promise.all(others)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(19);
    expect(statuses.filter((status) => status === 409)).toHaveLength(5);
    expect((await drafts.anna.post(at(id, 'uploads')).send({ path: 'c', size: 1 }).expect(409)).body.detail).toContain(
      '20',
    );
    await drafts.panel.app.get(DraftUploads, { strict: false }).sweep();
    await drafts.anna.get(`/api/v1/uploads/${upload.id}`).expect(200);
    await drafts.panel.app.get(DraftUploads, { strict: false }).sweep(new Date(Date.now() + 25 * 3600_000));
    await drafts.anna.get(`/api/v1/uploads/${upload.id}`).expect(404);
    expect(await drafts.temporary()).toEqual([]);
  });

  it('is not all that lies there: what a draft is still to be mended from stays, however old', async () => {
    const id = await drafts.overlay();
    const aside = path.join(drafts.panel.settings.root, 'drafts/.tmp/half-merged');
    await writeFile(aside, 'x');
    await drafts.sql(
      `INSERT INTO draft_leases (overlay_id, expires_at, merges, aside)
       VALUES ($1, clock_timestamp() + interval '1 hour', 'cfg', 'half-merged')`,
      [id],
    );
    const sweep = () =>
      drafts.panel.app.get(DraftUploads, { strict: false }).sweep(new Date(Date.now() + 25 * 3600_000));
    await sweep();
    expect(await drafts.temporary()).toEqual(['half-merged']);
    await drafts.sql(`DELETE FROM draft_leases WHERE overlay_id = $1`, [id]);
    await sweep();
    expect(await drafts.temporary()).toEqual([]);
  });
});
