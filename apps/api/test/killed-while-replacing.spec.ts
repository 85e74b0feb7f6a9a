import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import supertest from 'supertest';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { DraftHealing } from '../src/overlays/draft-healing.js';
import { DraftLeases } from '../src/overlays/draft-leases.js';
import { OverlayTrees } from '../src/overlays/overlay-trees.js';
import { PASSWORD } from './app.js';
import { at, type DraftPanel, startDrafts } from './draft-panel.js';
import { eventually } from './eventually.js';
import { collect } from './state-folder.js';

const PROGRAM = fileURLToPath(new URL('fixtures/stopping-api.mjs', import.meta.url));

/** One API of two; the other one is killed. */
let drafts: DraftPanel;
let other: ChildProcess | null = null;

beforeAll(async () => {
  drafts = await startDrafts();
});
afterEach(() => {
  other?.kill('SIGKILL');
  vi.restoreAllMocks();
});
afterAll(() => drafts.close());

/** Unpacks an archive into a folder, and is killed when the old one is aside, or the first file of those that are merged in its place. */
async function killWhileUnpacking(
  id: number,
  { mode, target, files }: { mode: 'replace' | 'merge'; target: string; files: Record<string, string> },
): Promise<void> {
  const command = [process.execPath, PROGRAM, JSON.stringify(drafts.panel.settings)];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { stdio: 'pipe' });
  other = child;
  const [said, complained] = [collect(child.stdout), collect(child.stderr)];
  const hears = (words: RegExp) =>
    eventually(`the other API says ${words}`, () => {
      if (child.exitCode !== null) throw new Error(complained());
      return words.test(said());
    });
  await hears(/^http/m);
  const agent = supertest.agent(said().trim());
  await agent.post('/api/v1/auth/login').send({ username: 'anna', password: PASSWORD }).expect(200);
  const route = at(id, `archive?mode=${mode}&target=${encodeURIComponent(target)}`);
  const body = await drafts.packed(files);
  const request = agent.put(route).set('Content-Type', 'application/octet-stream').send(body);
  const answer = request.then(
    () => 'answered',
    () => 'cut off',
  );
  await hears(/moved aside|merged one/);
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  expect(await answer).toBe('cut off');
}

const killWhileReplacing = (id: number, target: string) =>
  killWhileUnpacking(id, { mode: 'replace', target, files: { new: 'x' } });

const expireLease = (id: number) =>
  drafts.sql(`UPDATE draft_leases SET expires_at = clock_timestamp() WHERE overlay_id = $1`, [id]);

const quietRun = () => ({
  signal: new AbortController().signal,
  output: { write: () => Promise.resolve(), progress: () => undefined },
});

it('a folder that a killed API was replacing is back before a build copies the draft', async () => {
  const id = await drafts.overlay();
  await drafts.put(id, 'left4dead2/addons/old', 'x').expect(200);
  await killWhileReplacing(id, 'left4dead2/addons');
  expect(await drafts.filesOf(id)).toEqual({});
  const leases = drafts.panel.app.get(DraftLeases, { strict: false });
  const copied = leases.none(id, quietRun()).then(() => drafts.filesOf(id));
  await expireLease(id);
  expect(await copied).toEqual({ 'left4dead2/addons/old': 'x' });
  expect(await drafts.sql('SELECT FROM draft_leases WHERE overlay_id = $1', [id])).toEqual([]);
  await drafts.anna
    .put(at(id, 'archive?mode=replace'))
    .send(await drafts.packed({ new: 'x' }))
    .expect(200);
  expect(await drafts.filesOf(id)).toEqual({ new: 'x' });
});

it('a draft that a killed API was replacing as a whole is back before somebody changes it', async () => {
  const id = await drafts.overlay();
  await drafts.put(id, 'old', 'x').expect(200);
  await killWhileReplacing(id, '');
  expect(await drafts.filesOf(id).catch(() => 'gone')).toBe('gone');
  const put = drafts.put(id, 'mine', 'x').then(({ status }) => status);
  await expireLease(id);
  expect(await put).toBe(200);
  expect(await drafts.filesOf(id)).toEqual({ mine: 'x', old: 'x' });
});

it('an archive that a killed API was merging is merged to its end before a build copies the draft', async () => {
  const id = await drafts.overlay();
  await drafts.put(id, 'left4dead2/addons/old', 'x').expect(200);
  await drafts.put(id, 'left4dead2/addons/both/old', 'x').expect(200);
  const files = { a: 'new', 'both/a': 'new', 'both/old': 'new', 'made/a': 'new' };
  await killWhileUnpacking(id, { mode: 'merge', target: 'left4dead2/addons', files });
  const moved = Object.values(await drafts.filesOf(id)).filter((text) => text === 'new');
  expect(moved).toHaveLength(1);
  const leases = drafts.panel.app.get(DraftLeases, { strict: false });
  const copied = leases.none(id, quietRun()).then(() => drafts.filesOf(id));
  await expireLease(id);
  const below = Object.entries({ old: 'x', ...files }).map(([file, text]) => [`left4dead2/addons/${file}`, text]);
  expect(await copied).toEqual(Object.fromEntries(below));
  expect(await drafts.sql('SELECT FROM draft_leases WHERE overlay_id = $1', [id])).toEqual([]);
});

it('a folder that cannot be put back is told to whoever changes the draft at once, and ends a build that waits for it', async () => {
  const id = await drafts.overlay();
  const { files } = drafts.panel.app.get(OverlayTrees, { strict: false }).draft(id);
  const failed = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
  vi.spyOn(files, 'makeWhole').mockRejectedValue(failed);
  await drafts.sql(
    `INSERT INTO draft_leases (overlay_id, expires_at, replaces, aside) VALUES ($1, clock_timestamp(), 'cfg', 'old')`,
    [id],
  );
  for (const file of ['a', 'b']) {
    const { body } = await drafts.put(id, file, 'x').expect(409);
    expect(body.detail).toContain(`"cfg" of overlay ${id} cannot be put back from drafts/.tmp/old`);
    expect(body.detail).toContain('(EIO)');
  }
  const leases = new DraftLeases(drafts.panel.database, drafts.panel.app.get(DraftHealing, { strict: false }));
  leases.madeWholeMs = 100;
  await expect(leases.none(id, quietRun())).rejects.toThrow('is not whole');
  vi.restoreAllMocks();
  await drafts.put(id, 'a', 'x').expect(200);
  await leases.none(id, quietRun());
});
