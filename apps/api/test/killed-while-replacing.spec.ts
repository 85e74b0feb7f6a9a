import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import supertest from 'supertest';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { DraftLeases } from '../src/overlays/draft-leases.js';
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
afterEach(() => other?.kill('SIGKILL'));
afterAll(() => drafts.close());

/** Replaces a folder by one with the file `new`, and is killed when the old one is aside. */
async function killWhileReplacing(id: number, target: string): Promise<void> {
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
  const route = at(id, `archive?mode=replace&target=${encodeURIComponent(target)}`);
  const body = await drafts.packed({ new: 'x' });
  const request = agent.put(route).set('Content-Type', 'application/octet-stream').send(body);
  const answer = request.then(
    () => 'answered',
    () => 'cut off',
  );
  await hears(/moved aside/);
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
  expect(await answer).toBe('cut off');
}

const expireLease = (id: number) =>
  drafts.sql(`UPDATE draft_leases SET expires_at = clock_timestamp() WHERE overlay_id = $1`, [id]);

it('a folder that a killed API was replacing is back before a build copies the draft', async () => {
  const id = await drafts.overlay();
  await drafts.put(id, 'left4dead2/addons/old', 'x').expect(200);
  await killWhileReplacing(id, 'left4dead2/addons');
  expect(await drafts.filesOf(id)).toEqual({});
  const output = { write: () => Promise.resolve(), progress: () => undefined };
  const leases = drafts.panel.app.get(DraftLeases, { strict: false });
  const copied = leases.none(id, { signal: new AbortController().signal, output }).then(() => drafts.filesOf(id));
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
