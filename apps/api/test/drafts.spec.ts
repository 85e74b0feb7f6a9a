import { readdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { CLEAN_ENV } from '@left4me/host/process/clean-environment';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DraftCheck } from '../src/overlays/draft-check.js';
import { DraftHealing } from '../src/overlays/draft-healing.js';
import { DraftLeases } from '../src/overlays/draft-leases.js';
import { OverlayFiles } from '../src/overlays/overlay-files.service.js';
import { UserPlaces } from '../src/problems/user-places.js';
import type { Agent } from './app.js';
import { at, contentOf, type DraftPanel, startDrafts } from './draft-panel.js';

let drafts: DraftPanel;
let hostId: number;

const archive = (agent: Agent, id: number, body: Buffer, query = '') =>
  agent
    .put(at(id, `archive${query}`))
    .set('Content-Type', 'application/octet-stream')
    .send(body);
const changedAt = async (id: number) => (await drafts.anna.get(`/api/v1/overlays/${id}`)).body.draft.modifiedAt;

const runningBuild = async (overlayId: number): Promise<number> => {
  const [row] = await drafts.sql(
    `INSERT INTO jobs (operation, host_id, overlay_id, overlay_name, state, started_at)
     VALUES ('build-overlay', $1, $2, 'x', 'running', clock_timestamp()) RETURNING id`,
    [hostId, overlayId],
  );
  return row.id;
};
const endBuild = (id: number) =>
  drafts.sql(`UPDATE jobs SET state = 'succeeded', finished_at = clock_timestamp() WHERE id = $1`, [id]);

beforeAll(async () => {
  drafts = await startDrafts();
  await drafts.sql(`INSERT INTO hosts (name) VALUES ('local') ON CONFLICT DO NOTHING`);
  [{ id: hostId }] = await drafts.sql(`SELECT id FROM hosts WHERE name = 'local'`);
});
afterAll(() => drafts.close());

describe('an archive', () => {
  it('is merged into a folder of the draft, or takes its place', async () => {
    const id = await drafts.overlay();
    await drafts.put(id, 'left4dead2/cfg/kept.cfg', 'kept').expect(200);
    const tar = await drafts.packed({ 'cfg/server.cfg': 'new', 'addons/a.txt': 'a' }, '--gzip');
    const merged = await archive(drafts.anna, id, tar, '?target=left4dead2').expect(200);
    expect(merged.body).toEqual({ files: 2, bytes: 4, leftOut: { count: 0, first: [] } });
    expect(await drafts.filesOf(id)).toEqual({
      'left4dead2/cfg/kept.cfg': 'kept',
      'left4dead2/cfg/server.cfg': 'new',
      'left4dead2/addons/a.txt': 'a',
    });
    expect((await drafts.anna.get(`/api/v1/overlays/${id}`)).body.draft).toMatchObject({ files: 3, changed: true });
    await archive(drafts.anna, id, tar, '?target=left4dead2%2Fcfg&mode=replace').expect(200);
    expect(Object.keys(await drafts.filesOf(id)).sort()).toEqual([
      'left4dead2/addons/a.txt',
      'left4dead2/cfg/addons/a.txt',
      'left4dead2/cfg/cfg/server.cfg',
    ]);
    expect(await drafts.temporary()).toEqual([]);
  });

  it.each<[string, () => Promise<Buffer>, string, number, RegExp]>([
    ['is none', async () => Buffer.from('hello'), '', 422, /no zip and no tar/],
    [
      'was cut off',
      async () => (await drafts.packed({ a: 'x'.repeat(9_000) }, '--gzip')).subarray(0, 100),
      '',
      422,
      /damaged|cut off/,
    ],
    [
      'climbs out',
      async () => drafts.packed({ a: 'x' }, '--transform=s,a,../../evil,', '--absolute-names'),
      '',
      422,
      /must not contain/,
    ],
    ['has a target that climbs out', async () => drafts.packed({ a: 'x' }), '?target=..%2F..', 400, /\.\./],
    ['has an unknown mode', async () => drafts.packed({ a: 'x' }), '?mode=append', 400, /mode/],
    ['puts a folder over a file', async () => drafts.packed({ 'kept/a': 'x' }), '', 400, /is a file here/],
  ])('that %s is refused, and nothing is changed', async (_what, make, query, status, message) => {
    const id = await drafts.overlay();
    await drafts.put(id, 'kept', 'kept').expect(200);
    const before = await changedAt(id);
    const refused = await archive(drafts.anna, id, await make(), query).expect(status);
    expect(JSON.stringify(refused.body)).toMatch(message);
    expect(await drafts.filesOf(id)).toEqual({ kept: 'kept' });
    expect(await changedAt(id)).toBe(before);
    expect(await drafts.temporary()).toEqual([]);
  });

  it.each([
    ['bzip2', Buffer.from('BZh9')],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ])('that needs %s where that is not installed is told so', async (program, beginning) => {
    const { PATH } = CLEAN_ENV;
    CLEAN_ENV.PATH = drafts.work;
    try {
      const id = await drafts.overlay();
      const refused = await archive(drafts.anna, id, beginning).expect(501);
      expect(refused.body.detail).toContain(`needs the program ${program}, which is not installed`);
      expect(await changedAt(id)).toBeNull();
      expect(await drafts.temporary()).toEqual([]);
    } finally {
      CLEAN_ENV.PATH = PATH;
    }
  });

  it('waits for its turn, for a while', async () => {
    const files = drafts.panel.app.get(OverlayFiles, { strict: false });
    const { unpackings } = files;
    files.unpackings = new UserPlaces(1, 'busy', 50);
    try {
      const id = await drafts.overlay();
      const tar = await drafts.packed({ a: 'x' });
      let end = (): void => undefined;
      const others = files.unpackings.hold(0, () => new Promise<void>((done) => (end = done)), AbortSignal.any([]));
      const refused = await archive(drafts.anna, id, tar).expect(503);
      expect(refused.headers['retry-after']).toBe('15');
      expect(refused.body.detail).toBe('The panel is already busy: send this again in a moment.');
      expect(await changedAt(id)).toBeNull();
      expect(await drafts.temporary()).toEqual([]);
      end();
      await others;
      await archive(drafts.anna, id, tar).expect(200);
    } finally {
      files.unpackings = unpackings;
    }
  });

  it('is taken from nobody else, nor while a build runs', async () => {
    const id = await drafts.overlay();
    const tar = await drafts.packed({ a: 'x' });
    await archive(drafts.ben, id, tar).expect(404);
    const build = await runningBuild(id);
    expect((await archive(drafts.anna, id, tar).expect(409)).body.detail).toContain(`job ${build}`);
    await endBuild(build);
    await archive(drafts.anna, id, tar).expect(200);
  });
});

describe('the draft', () => {
  it('is rearranged by moving, renaming and making folders, never over what is there', async () => {
    const id = await drafts.overlay();
    const move = (from: string, to: string, more = {}) =>
      drafts.anna.post(at(id, 'files/move')).send({ from, to, ...more });
    await drafts.put(id, 'addons/a.txt', 'a').expect(200);
    await drafts.put(id, 'b.txt', 'b').expect(200);
    await move('addons', 'left4dead2/addons').expect(204);
    await move('b.txt', 'left4dead2/addons/a.txt').expect(409);
    await move('b.txt', 'left4dead2').expect(409);
    await move('gone', 'x').expect(404);
    await move('left4dead2', 'left4dead2/x').expect(400);
    await move('b.txt', '../b.txt').expect(400);
    await drafts.ben.post(at(id, 'files/move')).send({ from: 'b.txt', to: 'c.txt' }).expect(404);
    expect(await drafts.filesOf(id)).toEqual({ 'left4dead2/addons/a.txt': 'a', 'b.txt': 'b' });
    await move('b.txt', 'left4dead2/addons/a.txt', { replace: true }).expect(204);
    expect(await drafts.filesOf(id)).toEqual({ 'left4dead2/addons/a.txt': 'b' });
    await drafts.put(id, 'more/addons/a.txt', 'c').expect(200);
    await move('more', 'left4dead2').expect(409);
    const refused = await move('more', 'left4dead2', { merge: true }).expect(409);
    expect(refused.body.detail).toContain('"left4dead2/addons/a.txt"');
    await move('more', 'left4dead2', { merge: true, replace: true }).expect(204);
    expect(await drafts.filesOf(id)).toEqual({ 'left4dead2/addons/a.txt': 'c' });
    await drafts.anna.post(at(id, 'folders')).send({ path: 'left4dead2/cfg' }).expect(204);
    await drafts.anna.post(at(id, 'folders')).send({ path: 'left4dead2/cfg' }).expect(409);
    expect((await readdir(path.join(drafts.folderOf(id), 'left4dead2'))).sort()).toEqual(['addons', 'cfg']);
  });

  it('lets two people who edit a file know of each other', async () => {
    const id = await drafts.overlay();
    await drafts.put(id, 'a.cfg', 'first').expect(200);
    const { etag = '' } = (await drafts.anna.get(contentOf(id, 'a.cfg')).expect(200)).headers;
    const saved = await drafts.put(id, 'a.cfg', 'mine').set('If-Match', etag).expect(200);
    expect(saved.headers['etag']).toBe(saved.body.etag);
    expect((await drafts.put(id, 'a.cfg', 'theirs').set('If-Match', etag).expect(412)).body.detail).toContain('a.cfg');
    await drafts.put(id, 'a.cfg', 'mine again').set('If-Match', saved.body.etag).expect(200);
    await drafts.put(id, 'a.cfg', 'new').set('If-None-Match', '*').expect(412);
    await drafts.put(id, 'b.cfg', 'new').set('If-None-Match', etag).expect(400);
    expect(await drafts.filesOf(id)).toEqual({ 'a.cfg': 'mine again' });
    await drafts.put(id, 'b.cfg', 'new').set('If-None-Match', '*').expect(200);
    expect(await drafts.filesOf(id)).toEqual({ 'a.cfg': 'mine again', 'b.cfg': 'new' });
  });

  it('tells what the game will not take', async () => {
    const id = await drafts.overlay();
    await drafts.put(id, 'addons/broken.vpk', 'nonsense').expect(200);
    await drafts.put(id, 'left4dead2/cfg/server.cfg', 'hostname x\n// für\n').expect(200);
    const { items, more } = (await drafts.anna.get(at(id, 'warnings')).expect(200)).body;
    expect(more).toBe(false);
    expect(items).toEqual([
      { kind: 'misplaced', path: 'addons', belongsTo: 'left4dead2/addons' },
      { kind: 'broken-vpk', path: 'addons/broken.vpk', problem: expect.stringContaining('34 12 aa 55') },
      { kind: 'non-ascii-cfg', path: 'left4dead2/cfg/server.cfg', line: 2 },
    ]);
    await drafts.ben.get(at(id, 'warnings')).expect(404);
  });

  it('is not built with a VPK that would crash the game', async () => {
    const id = await drafts.overlay();
    await drafts.put(id, 'left4dead2/addons/broken.vpk', 'nonsense').expect(200);
    const lines: string[] = [];
    const output = { write: async (_stream: string, line: string) => void lines.push(line), progress: () => undefined };
    const run = { signal: new AbortController().signal, output };
    await expect(drafts.panel.app.get(DraftCheck, { strict: false }).ready(id, run)).rejects.toMatchObject({
      code: 'broken-vpk',
      message: expect.stringContaining('left4dead2/addons/broken.vpk'),
    });
    expect(lines.join()).toContain('34 12 aa 55');
    await drafts.anna.delete(contentOf(id, 'left4dead2/addons/broken.vpk')).expect(204);
    await drafts.panel.app.get(DraftCheck, { strict: false }).ready(id, run);
  });

  it('does not lead anywhere else by a link in it', async () => {
    const id = await drafts.overlay();
    await drafts.put(id, 'a', 'x').expect(200);
    await symlink(drafts.work, path.join(drafts.folderOf(id), 'out'));
    await archive(drafts.anna, id, await drafts.packed({ 'out/evil': 'x' })).expect(400);
    await archive(drafts.anna, id, await drafts.packed({ evil: 'x' }), '?target=out').expect(400);
    await drafts.anna.post(at(id, 'files/move')).send({ from: 'a', to: 'out/a' }).expect(400);
    await drafts.anna.post(at(id, 'folders')).send({ path: 'out/folder' }).expect(400);
    expect((await readdir(drafts.work)).filter((name) => !name.startsWith('source-'))).toEqual([]);
  });
});

const quietRun = () => ({
  signal: new AbortController().signal,
  output: { write: () => Promise.resolve(), progress: () => undefined },
});

describe('a change of a draft and a build that meet', () => {
  it('are kept apart: the build waits for the change, a change that comes later is refused', async () => {
    const leases = drafts.panel.app.get(DraftLeases, { strict: false });
    const id = await drafts.overlay();
    const events: string[] = [];
    let finish = (): void => undefined;
    const changing = leases.during({ id, name: 'x' }, async () => {
      await new Promise<void>((resolve) => (finish = resolve));
      events.push('changed');
    });
    const held = () => drafts.sql(`SELECT 1 FROM draft_leases WHERE overlay_id = $1`, [id]);
    await expect.poll(held, { timeout: 15_000 }).toHaveLength(1);
    await expect.poll(() => changedAt(id), { timeout: 15_000 }).not.toBeNull();
    const build = await runningBuild(id);
    const ready = leases.none(id, quietRun()).then(() => events.push('copied'));
    const change = async () => void events.push('never');
    const late = leases.during({ id, name: 'x' }, change).catch(String);
    finish();
    await Promise.all([changing, ready]);
    expect(await late).toContain(`job ${build}`);
    expect(events).toEqual(['changed', 'copied']);
    expect(await held()).toEqual([]);
  });

  it('and two changes of one draft, in one process or two, come one after the other', async () => {
    const leases = drafts.panel.app.get(DraftLeases, { strict: false });
    const others = new DraftLeases(drafts.panel.database, drafts.panel.app.get(DraftHealing, { strict: false }));
    const id = await drafts.overlay();
    let now = 0;
    let most = 0;
    const change = async (): Promise<void> => {
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
    };
    const all = [leases, others, leases, others, leases].map((of) => of.during({ id, name: 'x' }, change));
    await Promise.all(all);
    expect({ now, most }).toEqual({ now: 0, most: 1 });
  });

  it('does not wait for somebody who was killed in the middle, whose draft counts as changed', async () => {
    const leases = drafts.panel.app.get(DraftLeases, { strict: false });
    const id = await drafts.overlay();
    await drafts.sql(
      `INSERT INTO draft_leases (overlay_id, expires_at) VALUES ($1, clock_timestamp() - interval '1 s')`,
      [id],
    );
    await leases.none(id, quietRun());
    const before = leases.during({ id, name: 'x' }, async () => {
      expect(await changedAt(id)).not.toBeNull();
      throw new Error('killed');
    });
    await expect(before).rejects.toThrow('killed');
    expect(await changedAt(id)).not.toBeNull();
  });

  it('changes nothing when it stood still for so long that a build may be copying the draft', async () => {
    const leases = drafts.panel.app.get(DraftLeases, { strict: false });
    const id = await drafts.overlay();
    let changed = false;
    const change = (): Promise<void> => Promise.resolve(void (changed = true));
    const placing = { mode: 'merge', path: 'cfg', aside: 'made' } as const;
    const answer = await drafts.panel.database.transaction(async (manager) => {
      await manager.query(`SELECT FROM overlays WHERE id = $1 FOR NO KEY UPDATE`, [id]);
      const changing = leases.during({ id, name: 'x' }, change, placing).catch(String);
      const lease = () => drafts.sql(`SELECT FROM draft_leases WHERE overlay_id = $1`, [id]);
      await expect.poll(lease, { timeout: 15_000 }).toHaveLength(1);
      await drafts.sql(`DELETE FROM draft_leases WHERE overlay_id = $1`, [id]);
      return () => changing;
    });
    expect(await answer()).toContain('stood still');
    expect(changed).toBe(false);
  });

  it('is not ended as an abandoned one by its own process when it is late', async () => {
    const healing = drafts.panel.app.get(DraftHealing, { strict: false });
    const id = await drafts.overlay();
    const leases = () => drafts.sql(`SELECT FROM draft_leases WHERE overlay_id = $1`, [id]);
    await drafts.panel.app.get(DraftLeases, { strict: false }).during({ id, name: 'x' }, async () => {
      await drafts.sql(`UPDATE draft_leases SET expires_at = clock_timestamp() WHERE overlay_id = $1`, [id]);
      await healing.heal(null);
      expect(await leases()).toHaveLength(1);
    });
    expect(await leases()).toEqual([]);
  });
});
