import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { openHost } from '@left4me/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobView } from '../src/jobs/job.dto.js';
import { systemProgram } from '../src/embedded/system-program.js';
import { UserPlaces } from '../src/problems/user-places.js';
import { OverlayScripts } from '../src/scripts/overlay-scripts.service.js';
import { SCRIPT_LIMIT } from '../src/scripts/script.dto.js';
import { type Agent, startApp, type TestApp } from './app.js';
import { cacheFolder } from './cache-folder.js';

const URL = '/api/v1/overlays';

let panel: TestApp;
let anna: Agent;
let ben: Agent;
let count = 0;
beforeAll(async () => {
  const bubblewrap = await systemProgram({
    names: ['bwrap'],
    packages: ['bubblewrap'],
    cacheFolder: await cacheFolder(),
    report: (line) => process.stderr.write(`${line}\n`),
  });
  panel = await startApp({ workerEnabled: true }, { openHost: (options) => openHost({ ...options, bubblewrap }) });
  [anna, ben] = await Promise.all([panel.user('anna'), panel.user('ben')]);
  const { body: hosts } = await panel.admin.get('/api/v1/hosts').expect(200);
  await ended((await panel.admin.post(`/api/v1/hosts/${hosts.items[0].id}/jobs`).send({ operation: 'install' })).body);
});
afterAll(() => panel.close());

const overlay = async (agent: Agent, more: object = {}): Promise<number> =>
  (
    await agent
      .post(URL)
      .send({ name: `made-${(count += 1)}`, kind: 'script', ...more })
      .expect(201)
  ).body.id;
const save = (agent: Agent, id: number, script: string, more: object = {}) =>
  agent.put(`${URL}/${id}/script`).send({ script, ...more });
const view = async (id: number) => (await panel.admin.get(`${URL}/${id}`).expect(200)).body;
const ended = async ({ id }: { id: number }): Promise<JobView> =>
  (await panel.admin.get(`/api/v1/jobs/${id}?wait=60`).expect(200)).body;
const build = async (agent: Agent, id: number): Promise<JobView> =>
  ended((await agent.post(`${URL}/${id}/builds`).expect(202)).body);
const log = async (job: JobView): Promise<string[]> =>
  (await panel.admin.get(`/api/v1/jobs/${job.id}/logs?limit=1000`).expect(200)).body.items.map(
    ({ line }: { line: string }) => line,
  );

describe('the script of an overlay', () => {
  it('is empty at first, and is read as it was written', async () => {
    const id = await overlay(anna);
    expect((await anna.get(`${URL}/${id}/script`).expect(200)).body.script).toBe('');
    const { body } = await save(anna, id, 'echo "größe"\r\ntrue\n').expect(200);
    expect(body).toEqual({ script: 'echo "größe"\ntrue\n', hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect((await anna.get(`${URL}/${id}/script`).expect(200)).body).toEqual(body);
  });

  it('is refused with the line that bash does not understand, and nothing of it is run', async () => {
    const id = await overlay(anna);
    await save(anna, id, 'echo fine').expect(200);
    const marker = path.join(panel.settings.root, 'run-while-checked');
    const { body } = await save(anna, id, `touch ${marker}\nif true; then\n  echo x\n`).expect(400);
    expect(body.errors).toEqual([
      { path: 'script', message: expect.stringMatching(/^line [34]: syntax error: unexpected end of file/) },
    ]);
    expect((await save(anna, id, 'true\necho )\n').expect(400)).body.errors[0].message).toMatch(
      /^line 2: syntax error/,
    );
    expect((await save(anna, id, ' \n').expect(400)).body.errors[0].message).toBe('is empty');
    expect((await save(anna, id, 'a\0b').expect(400)).body.errors[0].message).toContain('NUL');
    const long = (await save(anna, id, `#${'x'.repeat(SCRIPT_LIMIT)}`).expect(400)).body.errors[0].message;
    expect(long).toBe(`has ${SCRIPT_LIMIT + 1} bytes, and may have ${SCRIPT_LIMIT}`);
    const nested = await save(anna, id, `echo ${'$('.repeat(20_000)}`);
    expect(nested.status).toBe(400);
    expect(await readdir(panel.settings.root)).not.toContain('run-while-checked');
    expect((await anna.get(`${URL}/${id}/script`).expect(200)).body.script).toBe('echo fine');
  });

  it('is checked when there is a place for that, or not saved', async () => {
    const scripts = panel.app.get(OverlayScripts, { strict: false });
    const { checks } = scripts;
    scripts.checks = new UserPlaces(0, 'busy', 50);
    try {
      const id = await overlay(anna);
      const refused = await save(anna, id, 'true').expect(503);
      expect(refused.headers['retry-after']).toBe('15');
      expect((await anna.get(`${URL}/${id}/script`).expect(200)).body.script).toBe('');
    } finally {
      scripts.checks = checks;
    }
  });

  it('is not overwritten by somebody who has read an older one', async () => {
    const id = await overlay(panel.admin, { catalog: true });
    const { body: first } = await save(panel.admin, id, 'echo 1').expect(200);
    const { body: second } = await save(panel.admin, id, 'echo 2', { basedOn: first.hash }).expect(200);
    const refused = await save(panel.admin, id, 'echo 3', { basedOn: first.hash }).expect(409);
    expect(refused.body.detail).toContain('Somebody else has changed the script');
    await save(panel.admin, id, 'echo 2', { basedOn: first.hash }).expect(200); // the same once more
    await save(panel.admin, id, 'echo 3', { basedOn: second.hash }).expect(200);
    await save(panel.admin, id, 'echo 4', { basedOn: 'x' }).expect(400);
  });

  it("is for whoever may change the overlay, and only a script overlay's", async () => {
    const own = await overlay(anna);
    await save(anna, own, 'true').expect(200);
    await ben.get(`${URL}/${own}/script`).expect(404);
    await save(ben, own, 'false').expect(404);
    const shared = await overlay(panel.admin, { catalog: true });
    await save(panel.admin, shared, 'true').expect(200);
    await ben.get(`${URL}/${shared}/script`).expect(200);
    await save(ben, shared, 'false').expect(403);
    const files = await overlay(anna, { kind: 'files' });
    await save(anna, files, 'true').expect(409);
    await anna.get(`${URL}/${files}/script`).expect(409);
    await anna.delete(`${URL}/${own}`).expect(204);
    await save(anna, own, 'true').expect(404);
    expect(await panel.database.query('SELECT * FROM overlay_scripts WHERE overlay_id = $1', [own])).toEqual([]);
  });
});

describe('a build of a script overlay', () => {
  it('runs the script and publishes what it made; then again, when the script was changed', async () => {
    const id = await overlay(anna);
    const empty = await build(anna, id);
    expect(empty).toMatchObject({ state: 'failed', error: expect.stringContaining('no script yet') });
    await save(anna, id, 'set -e\nmkdir -p left4dead2/cfg\necho one >left4dead2/cfg/a.cfg\necho done').expect(200);
    expect(await view(id)).toMatchObject({ draft: { changed: true }, currentRevision: null });
    const job = await build(anna, id);
    expect(job, (await log(job)).join('\n')).toMatchObject({ state: 'succeeded' });
    const lines = await log(job);
    expect(lines[0]).toMatch(/^left4me: script [0-9a-f]{12}, 4 lines, on build /);
    expect(lines).toContain('done');
    expect(lines.at(-1)).toBe('Revision 1 is published: 1 file, 4 bytes.');
    expect(await view(id)).toMatchObject({ draft: { changed: false }, currentRevision: { number: 1, files: 1 } });
    const root = panel.settings.root;
    expect(await readFile(path.join(root, `overlays/${id}/1/left4dead2/cfg/a.cfg`), 'utf8')).toBe('one\n');
    expect(await readdir(path.join(root, 'builds'))).toEqual([]);

    expect((await log(await build(anna, id))).at(-1)).toContain('nothing was published');
    await save(anna, id, 'echo two >a.cfg; ln -s /etc/passwd secret; mkfifo pipe').expect(200);
    expect(await view(id)).toMatchObject({ draft: { changed: true } });
    const second = await log(await build(anna, id));
    expect(second).toContain('left out "secret": the link is absolute');
    expect(second).toContain('left out "pipe": it is neither a file, a folder nor a link');
    expect(await readdir(path.join(root, `overlays/${id}/2`))).toEqual(['a.cfg']);
  });

  it('that fails keeps the current revision, and says what the script said last', async () => {
    const id = await overlay(anna);
    await save(anna, id, 'echo x >a.cfg').expect(200);
    await build(anna, id);
    await save(anna, id, 'echo y >b.cfg\necho "the mirror is gone" >&2\nexit 4').expect(200);
    const job = await build(anna, id);
    expect(job).toMatchObject({ state: 'failed', exitCode: 4, error: expect.stringContaining('the mirror is gone') });
    expect(await view(id)).toMatchObject({ draft: { changed: true }, currentRevision: { number: 1 } });
    await save(anna, id, 'false; echo goes on').expect(200);
    const nothing = await build(anna, id);
    expect(nothing).toMatchObject({ state: 'failed', error: expect.stringContaining('made no file') });
    await save(anna, id, "echo z >$'a\\nb'").expect(200);
    const unusable = await build(anna, id);
    expect(unusable).toMatchObject({ state: 'failed', error: expect.stringContaining('control characters') });
    expect(await readdir(path.join(panel.settings.root, 'builds'))).toEqual([]);
  });

  it('publishes no VPK that would crash the game', async () => {
    const id = await overlay(anna);
    await save(anna, id, "printf '\\x34\\x12\\xaa\\x55cut' >campaign.vpk").expect(200);
    const job = await build(anna, id);
    expect(job).toMatchObject({ state: 'failed', error: expect.stringContaining('campaign.vpk') });
    expect((await log(job)).join('\n')).toContain('"campaign.vpk" cannot be read by the game');
    expect(await view(id)).toMatchObject({ currentRevision: null });
  });

  it('is cancelled with everything it runs', async () => {
    const id = await overlay(anna);
    await save(anna, id, "trap '' TERM\necho begun\nwhile :; do sleep 10; done").expect(200);
    const { body: job } = await anna.post(`${URL}/${id}/builds`).expect(202);
    await expect.poll(() => log(job), { timeout: 15_000 }).toContain('begun');
    await anna.post(`/api/v1/jobs/${job.id}/cancel`).expect(202);
    expect(await ended(job)).toMatchObject({ state: 'cancelled' });
    for (const place of ['cache/script-runs', 'cache/script-tmp', 'builds']) {
      expect(await readdir(path.join(panel.settings.root, place)), place).toEqual([]);
    }
  });
});
