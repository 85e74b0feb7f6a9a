import { mkdir, readFile, readdir, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HostLibrary } from '../src/hosts/host-library.js';
import type { JobView } from '../src/jobs/job.dto.js';
import type { ServerView } from '../src/servers/server.dto.js';
import type { TrashEntryView as View } from '../src/trash/trash.dto.js';
import { Announcements } from '../src/redis/announcements.js';
import { TrashKeeper } from '../src/trash/trash-keeper.js';
import { TrashRows } from '../src/trash/trash-rows.js';
import { type Agent, PASSWORD, startApp, type TestApp } from './app.js';
import { launchBrowser } from './browser.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';

type TrashEntryView = Pick<View, keyof View>;

let panel: TestApp;
let anna: Agent;
let ben: Agent;
const blueprints = new Map<Agent, number>();
let hostId: number;

const sql = (text: string, values: unknown[] = []) => panel.database.query(text, values);
const at = (...path: string[]): string => join(panel.settings.root, ...path);

beforeAll(async () => {
  panel = await startApp({ workerEnabled: true });
  [{ id: hostId }] = await sql(`SELECT id FROM hosts WHERE name = 'local'`);
  [anna, ben] = [await panel.user('anna'), await panel.user('ben')];
  for (const agent of [anna, ben]) {
    const { body } = await agent.post('/api/v1/blueprints').send({ name: 'versus' }).expect(201);
    blueprints.set(agent, body.id);
  }
  const { body } = await panel.admin.post(`/api/v1/hosts/${hostId}/jobs`).send({ operation: 'install' }).expect(202);
  const install = await ended(panel.admin, body.id);
  if (install.state !== 'succeeded') throw new Error(`the demo runtime was not installed: ${install.error}`);
});
afterAll(async () => {
  const host = await panel.app.get(HostLibrary).get();
  const output = { write: () => Promise.resolve(), progress: () => undefined };
  for (const { name } of await host.status()) await host.stop(name, { signal: new AbortController().signal, output });
  await panel.close();
});

async function ended(agent: Agent, id: number): Promise<JobView> {
  return (await agent.get(`/api/v1/jobs/${id}?wait=60`).expect(200)).body;
}

async function server(agent: Agent, name: string): Promise<ServerView> {
  const body = { name, blueprintId: blueprints.get(agent), port: await freePort() };
  return (await agent.post('/api/v1/servers').send(body).expect(201)).body;
}

/** Queues a job of the server and waits for its end. */
async function run(agent: Agent, name: string, body: object): Promise<JobView> {
  const queued = await agent.post(`/api/v1/servers/${name}/jobs`).send(body).expect(202);
  return ended(agent, queued.body.id);
}

async function does(agent: Agent, name: string, body: object): Promise<JobView> {
  const job = await run(agent, name, body);
  expect(job).toMatchObject({ state: 'succeeded', error: null });
  return job;
}

const trash = async (agent: Agent, query = ''): Promise<TrashEntryView[]> =>
  (await agent.get(`/api/v1/trash${query}`).expect(200)).body.items;

const logOf = async (agent: Agent, job: JobView): Promise<string> =>
  (await agent.get(`/api/v1/jobs/${job.id}/logs?limit=1000`).expect(200)).body.items
    .map(({ line }: { line: string }) => line)
    .join('\n');

/** A server of theirs that wrote a file and is deleted. @returns what the trash has of it */
async function put(agent: Agent, name: string, content: string): Promise<TrashEntryView> {
  const { id } = await server(agent, name);
  await does(agent, name, { operation: 'initialize' });
  await wrote(name, content);
  await does(agent, name, { operation: 'delete' });
  const [entry] = await trash(agent, `?serverId=${id}`);
  if (!entry) throw new Error(`${name} left nothing in the trash`);
  return entry;
}

const STATISTICS = 'left4dead2/addons/sourcemod/data/sqlite/stats.sq3';
const ownFile = (name: string): string => at('instances', name, 'upper', STATISTICS);

async function wrote(name: string, content: string): Promise<void> {
  await mkdir(dirname(ownFile(name)), { recursive: true });
  await writeFile(ownFile(name), content);
}

const missing = { code: 'ENOENT' };

describe('what a deleted server wrote', () => {
  it('is listed for its owner and admins, and comes back under a new name when its server is gone', async () => {
    const entry = await put(anna, 'alpha', 'five years of statistics');
    expect(entry).toEqual({
      id: expect.any(Number),
      state: 'kept',
      problem: null,
      hostId,
      hostName: 'local',
      serverId: expect.any(Number),
      serverName: 'alpha',
      ownerId: expect.any(Number),
      ownerName: 'anna',
      jobId: expect.any(Number),
      files: 1,
      bytes: expect.any(Number),
      deletedAt: expect.any(String),
      keptUntil: expect.any(String),
    });
    expect(Date.parse(entry.keptUntil) - Date.parse(entry.deletedAt)).toBe(30 * 24 * 3600_000);
    await anna.delete('/api/v1/servers/alpha').expect(204);
    expect(await trash(anna)).toEqual([{ ...entry, serverId: null }]);
    expect(await trash(panel.admin)).toEqual([{ ...entry, serverId: null }]);

    await server(anna, 'beta');
    const job = await does(anna, 'beta', { operation: 'initialize', restore: entry.id });
    expect(await readFile(ownFile('beta'), 'utf8')).toBe('five years of statistics');
    expect(await logOf(anna, job)).toContain(`restored the files of trash/`);
    expect(await trash(anna)).toEqual([]);
    expect(await readdir(at('trash'))).toEqual([]);
  });

  it("is nobody else's, not even of who has the server's name later", async () => {
    const entry = await put(anna, 'gamma', 'annas');
    await anna.delete('/api/v1/servers/gamma').expect(204);
    await server(ben, 'gamma');
    expect(await trash(ben)).toEqual([]);
    const refused = await ben
      .post('/api/v1/servers/gamma/jobs')
      .send({ operation: 'initialize', restore: entry.id })
      .expect(400);
    expect(refused.body.errors).toEqual([{ path: 'restore', message: `there is no trash entry ${entry.id}` }]);
    await ben.delete(`/api/v1/trash/${entry.id}`).expect(404);
    await does(ben, 'gamma', { operation: 'initialize' });
    await expect(stat(ownFile('gamma'))).rejects.toMatchObject(missing);
    expect(await trash(anna)).toEqual([{ ...entry, serverId: null }]);
  });

  it('is not seen by a token for other servers', async () => {
    const entry = await put(anna, 'delta', 'x');
    const other = await server(anna, 'epsilon');
    const { body } = await anna
      .post('/api/v1/tokens')
      .send({ name: 'bot', scopes: ['read', 'operate'], serverIds: [other.id] })
      .expect(201);
    const bot = { Authorization: `Bearer ${body.token}` };
    expect((await panel.anonymous.get('/api/v1/trash').set(bot).expect(200)).body.items).toEqual([]);
    await panel.anonymous.delete(`/api/v1/trash/${entry.id}`).set(bot).expect(404);
    await panel.anonymous
      .post(`/api/v1/servers/${other.id}/jobs`)
      .set(bot)
      .send({ operation: 'initialize', restore: entry.id })
      .expect(400);
    await panel.anonymous.get('/api/v1/trash').expect(401);
  });

  it('is restored once: the same request again does nothing and says so, another server is refused', async () => {
    const entry = await put(anna, 'zeta', 'first');
    const restore = { operation: 'initialize', restore: entry.id };
    await does(anna, 'zeta', restore);
    await wrote('zeta', 'second');
    const again = await does(anna, 'zeta', restore);
    expect(await logOf(anna, again)).toContain(`Trash entry ${entry.id} had been restored here already.`);
    expect(await readFile(ownFile('zeta'), 'utf8')).toBe('second');
    await server(anna, 'eta');
    const refused = await anna.post('/api/v1/servers/eta/jobs').send(restore).expect(409);
    expect(refused.body.detail).toBe(`Trash entry ${entry.id} has been restored into zeta already.`);
  });

  it('first puts away what the server has of its own by then', async () => {
    const entry = await put(anna, 'theta', 'old');
    await does(anna, 'theta', { operation: 'initialize' });
    await wrote('theta', 'new');
    await does(anna, 'theta', { operation: 'initialize', restore: entry.id });
    expect(await readFile(ownFile('theta'), 'utf8')).toBe('old');
    const [newer, ...others] = await trash(anna, `?serverId=${entry.serverId}`);
    expect(others).toEqual([]);
    expect(newer).toMatchObject({ serverName: 'theta', files: 1 });
    expect(await readFile(at('trash', `${entry.serverId}/${newer?.jobId}/files`, STATISTICS), 'utf8')).toBe('new');
  });

  it('is not restored into a server that runs, nor by another operation', async () => {
    const entry = await put(anna, 'iota', 'x');
    const restore = { operation: 'initialize', restore: entry.id };
    const states = async () => (await trash(anna, `?serverId=${entry.serverId}`)).map(({ state }) => state);
    // Stopped when it is asked for, and running when its turn comes.
    const { body: start } = await anna.post('/api/v1/servers/iota/jobs').send({ operation: 'start' }).expect(202);
    const job = await run(anna, 'iota', restore);
    expect(await ended(anna, start.id)).toMatchObject({ state: 'succeeded' });
    expect(job).toMatchObject({ state: 'failed', error: 'iota runs: stop it before its files are restored' });
    const { body: running } = await anna.post('/api/v1/servers/iota/jobs').send(restore).expect(409);
    expect(running.detail).toBe('iota runs: stop it before its files are restored.');
    expect(await states()).toEqual(['kept']);
    for (const operation of ['start', 'delete']) {
      const { body } = await anna.post('/api/v1/servers/iota/jobs').send({ operation, restore: entry.id }).expect(400);
      expect(body.errors).toEqual([{ path: 'restore', message: 'goes with initialize only' }]);
    }
    await anna.post('/api/v1/servers/iota/jobs').send({ operation: 'initialize', restore: 'x' }).expect(400);
    // Running when it is asked for, and stopped by then.
    await anna.post('/api/v1/servers/iota/jobs').send({ operation: 'stop' }).expect(202);
    const done = await does(anna, 'iota', restore);
    expect(await logOf(anna, done)).toContain('the restored one counts');
    expect(await readFile(ownFile('iota'), 'utf8')).toBe('x');
  });
});

describe('after a kill', () => {
  /** What a worker does when it starts. */
  const match = async (): Promise<void> =>
    panel.app.get(TrashKeeper).match(hostId, await panel.app.get(HostLibrary).get());

  it('what was put away without being written down belongs to whose server it was', async () => {
    const entry = await put(anna, 'kappa', 'x');
    await sql(`DELETE FROM trash_entries WHERE id = $1`, [entry.id]);
    await match();
    const [found, ...others] = await trash(anna, `?serverId=${entry.serverId}`);
    expect(others).toEqual([]);
    expect(found).toEqual({ ...entry, id: expect.any(Number) });
  });

  it('what an earlier database or l4d2ctl has put away is the admins’, whatever its numbers say', async () => {
    const entry = await put(anna, 'lambda', 'x');
    const folder = `${entry.serverId}/${entry.jobId}`;
    await rename(at('trash', folder), at('trash', `${folder}-2`));
    const record = {
      server: 'lambda',
      deletedAt: new Date(Date.now() - 24 * 3600_000).toISOString(),
      files: 1,
      bytes: 1,
    };
    await writeFile(at('trash', `${folder}-2`, 'entry.json'), JSON.stringify(record));
    await mkdir(at('trash/lambda/ctl-1/files'), { recursive: true });
    await match();
    expect(await trash(anna, `?serverId=${entry.serverId}`)).toEqual([]);
    const names = (await trash(panel.admin)).filter(({ serverName }) => serverName === 'lambda');
    expect(names).toHaveLength(2);
    for (const found of names) expect(found).toMatchObject({ ownerId: null, serverId: null, jobId: null });
  });

  it('whose an entry is does not hang on the clock of its host while its job says so', async () => {
    const { id, serverId, jobId } = await put(anna, 'psi', 'x');
    await sql(`DELETE FROM trash_entries WHERE id = $1`, [id]);
    const deletedAt = new Date(Date.now() - 24 * 3600_000).toISOString();
    const entry = { path: `${serverId}/${jobId}`, server: 'psi', deletedAt, files: 1, bytes: 1 };
    await panel.app.get(TrashRows, { strict: false }).note(hostId, [entry], jobId);
    expect(await trash(anna, `?serverId=${serverId}`)).toMatchObject([{ ownerName: 'anna', jobId }]);
  });

  it('a restore that moved the files is known to be done, and one that did not is done by the next', async () => {
    const entry = await put(anna, 'mu', 'x');
    const restore = { operation: 'initialize', restore: entry.id };
    const job = await does(anna, 'mu', restore);
    // As if it had been killed between its move and the row; then as if it had only said what it was about to do.
    await sql(`UPDATE trash_entries SET restored_at = NULL WHERE id = $1`, [entry.id]);
    await match();
    expect(await trash(anna, `?serverId=${entry.serverId}`)).toEqual([]);
    await does(anna, 'mu', restore);
    await does(anna, 'mu', { operation: 'delete' });
    const [second] = await trash(anna, `?serverId=${entry.serverId}`);
    await sql(`UPDATE trash_entries SET restore_job_id = $2 WHERE id = $1`, [second?.id, job.id]);
    await match();
    await does(anna, 'mu', { operation: 'initialize', restore: second?.id });
    expect(await readFile(ownFile('mu'), 'utf8')).toBe('x');
  });

  it('a folder that is gone from the disk is gone from the list, and cannot be restored', async () => {
    const entry = await put(anna, 'nu', 'x');
    await rename(at('trash', `${entry.serverId}`), at('taken-away'));
    const job = await run(anna, 'nu', { operation: 'initialize', restore: entry.id });
    expect(job).toMatchObject({ state: 'failed', error: expect.stringContaining('not in the trash any more') });
    expect(await trash(anna, `?serverId=${entry.serverId}`)).toEqual([]);
  });
});

const gone = async (id: number): Promise<void> =>
  eventually(
    () => `trash entry ${id} is gone`,
    async () => !(await trash(panel.admin)).some((entry) => entry.id === id),
  );

describe('the trash', () => {
  it('is purged by hand: nothing is left, and nothing can be restored', async () => {
    const entry = await put(anna, 'xi', 'x');
    const { body } = await anna.delete(`/api/v1/trash/${entry.id}`).expect(202);
    expect(body).toEqual({ ...entry, state: 'purging' });
    await gone(entry.id);
    await anna.delete(`/api/v1/trash/${entry.id}`).expect(404);
    await expect(stat(at('trash', String(entry.serverId)))).rejects.toMatchObject(missing);
    await does(anna, 'xi', { operation: 'initialize' });
    await expect(stat(ownFile('xi'))).rejects.toMatchObject(missing);
  });

  it('is purged of the rest where one entry cannot be removed, which says why until it can', async () => {
    const [stuck, other] = [await put(anna, 'stuck', 'x'), await put(anna, 'other', 'x')];
    const { trash: onDisk } = await panel.app.get(HostLibrary).get();
    const purge = onDisk.purge.bind(onDisk);
    const refused = new Error(`EACCES: permission denied, unlink '${at('trash/.tmp-1/a.txt')}'`);
    const failing = vi
      .spyOn(onDisk, 'purge')
      .mockImplementation((path) => (path.startsWith(`${stuck.serverId}/`) ? Promise.reject(refused) : purge(path)));
    try {
      for (const { id } of [stuck, other]) await anna.delete(`/api/v1/trash/${id}`).expect(202);
      await gone(other.id);
      const told = { id: stuck.id, state: 'purging', problem: 'EACCES: permission denied' };
      await eventually(
        'the entry says why it is there',
        async () => (await trash(anna, `?serverId=${stuck.serverId}`))[0]?.problem === told.problem,
      );
      expect(await trash(anna, `?serverId=${stuck.serverId}`)).toMatchObject([told]);
    } finally {
      failing.mockRestore();
    }
    await anna.delete(`/api/v1/trash/${stuck.id}`).expect(202);
    await gone(stuck.id);
  });

  it('is purged of what is older than the setting says, and of nothing else', async () => {
    const [old, young] = [await put(anna, 'omicron', 'x'), await put(anna, 'pi', 'x')];
    await sql(`UPDATE trash_entries SET deleted_at = now() - interval '30 days 1 minute' WHERE id = $1`, [old.id]);
    await sql(`UPDATE trash_entries SET deleted_at = now() - interval '29 days 23 hours' WHERE id = $1`, [young.id]);
    // By hand, another: the worker looks at all.
    await anna.delete(`/api/v1/trash/${(await put(anna, 'rho', 'x')).id}`).expect(202);
    await gone(old.id);
    expect(await trash(anna, `?serverId=${young.serverId}`)).toMatchObject([{ id: young.id, state: 'kept' }]);
    expect(await readdir(at('trash', String(young.serverId)))).toEqual([String(young.jobId)]);
  });

  it('is not purged by age of what a job waits to restore; what was taken away before is not restored', async () => {
    const [kept, lost] = [await put(anna, 'chi', 'kept'), await put(anna, 'omega', 'lost')];
    const blocked = panel.database.createQueryRunner();
    const queue = async (name: string, body: object): Promise<number> =>
      (
        await anna
          .post(`/api/v1/servers/${name}/jobs`)
          .send({ operation: 'initialize', ...body })
          .expect(202)
      ).body.id;
    const restoring: number[] = [];
    try {
      await blocked.startTransaction();
      // A generation cannot be pinned meanwhile: these jobs go on, and those behind them wait.
      await blocked.query('LOCK TABLE generations');
      for (const { id, serverName } of [kept, lost]) {
        await queue(serverName, {});
        restoring.push(await queue(serverName, { restore: id }));
      }
      await sql(`UPDATE trash_entries SET deleted_at = now() - interval '31 days' WHERE id = $1`, [kept.id]);
      // As if the worker had begun just before the request was there.
      await sql(`UPDATE trash_entries SET purge_begun_at = now() WHERE id = $1`, [lost.id]);
      const other = await sql(
        `INSERT INTO trash_entries (host_id, path, server_name, deleted_at) VALUES ($1, 'x/1', 'x', '2000-01-01') RETURNING id`,
        [hostId],
      );
      panel.app.get(Announcements).publish({ topic: 'purge', id: hostId });
      await gone(other[0].id);
      expect((await trash(anna, `?serverId=${kept.serverId}`)).map(({ state }) => state)).toEqual(['restoring']);
    } finally {
      await blocked.commitTransaction();
      await blocked.release();
    }
    const [done, failed] = await Promise.all(restoring.map((id) => ended(anna, id)));
    expect(done).toMatchObject({ state: 'succeeded' });
    expect(await readFile(ownFile('chi'), 'utf8')).toBe('kept');
    const error = `Trash entry ${lost.id} is not in the trash any more, or is being removed: nothing was restored.`;
    expect(failed).toMatchObject({ state: 'failed', error });
    await expect(stat(ownFile('omega'))).rejects.toMatchObject(missing);
    panel.app.get(Announcements).publish({ topic: 'purge', id: hostId });
    await gone(lost.id);
  });

  it('keeps what a job is about to restore', async () => {
    const entry = await put(anna, 'sigma', 'x');
    await sql(
      `INSERT INTO jobs (operation, host_id, server_id, server_name, restore_entry_id) VALUES ('initialize', $1, $2, 'sigma', $3)`,
      [hostId, entry.serverId, entry.id],
    );
    expect((await trash(anna, `?serverId=${entry.serverId}`)).map(({ state }) => state)).toEqual(['restoring']);
    const { body } = await anna.delete(`/api/v1/trash/${entry.id}`).expect(409);
    expect(body.detail).toContain('is being restored');
    await sql(`UPDATE jobs SET state = 'cancelled', finished_at = now() WHERE restore_entry_id = $1`, [entry.id]);
    await anna.delete(`/api/v1/trash/${entry.id}`).expect(202);
    await gone(entry.id);
  });
});

describe('the console', () => {
  it('shows what was put away, and restores and purges it', async () => {
    const entries = [await put(anna, 'tau', 'x'), await put(anna, 'upsilon', 'x')];
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
      page.setDefaultTimeout(15_000);
      await page.goto(`${panel.url}/login`);
      await page.getByLabel('User name').fill('anna');
      await page.getByLabel('Password').fill(PASSWORD);
      await page.keyboard.press('Enter');
      await page.waitForURL('**/servers');

      await page.goto(`${panel.url}/servers/tau`);
      await page.getByText('What it wrote itself (1 file').waitFor();
      await page.getByRole('button', { name: 'Restore…' }).click();
      await page.getByRole('button', { name: 'Restore', exact: true }).click();
      await eventually(
        'the files of tau are back',
        async () => (await readFile(ownFile('tau'), 'utf8').catch(() => '')) === 'x',
      );
      await page.getByText('What it wrote itself').waitFor({ state: 'hidden' });

      await page.goto(`${panel.url}/trash`);
      await page.getByRole('button', { name: 'Purge what upsilon wrote' }).click();
      await page.getByRole('button', { name: 'Purge', exact: true }).click();
      await page.getByRole('button', { name: 'Purge what upsilon wrote' }).waitFor({ state: 'detached' });
      for (const { id } of entries) await gone(id);
      expect(await readdir(at('trash'))).not.toContain(String(entries[1]?.serverId));
    } finally {
      await browser.close();
    }
  });
});
