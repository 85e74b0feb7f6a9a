import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostView } from '../src/hosts/host.dto.js';
import { OFFLINE_AFTER_S } from '../src/hosts/online.js';
import { launchBrowser } from './browser.js';
import { eventually } from './eventually.js';
import { freePort } from './free-port.js';
import { HOLDABLE, holdInstalls } from './held-install.js';
import { PanelProcess } from './panel-process.js';
import { PASSWORD, RealPanel } from './real-panel.js';
import { StateFolder } from './state-folder.js';
import { type StoppableServices, stoppableServices } from './stoppable-services.js';

/** The processes as they are on three machines: one answers, one worker each serves alpha and beta. */
let services: StoppableServices;
let given: Record<string, string>;
let folders: StateFolder[];
let api: RealPanel;
const workers: Record<string, PanelProcess> = {};
const hostIds: Record<string, number> = {};
let blueprint: number;

beforeAll(async () => {
  services = await stoppableServices();
  given = {
    DATABASE_URL: services.postgres.url,
    REDIS_URL: services.redis.url,
    SECRET_KEY: randomBytes(32).toString('hex'),
  };
  folders = [await StateFolder.make(), await StateFolder.make(), await StateFolder.make()];
  const [own, ...others] = folders;
  if (!own) throw new Error('there are three folders');
  const env = { ...given, LEFT4ME_ADMIN_PASSWORD: PASSWORD };
  api = new RealPanel(own, await freePort(), env, ['--role', 'api']);
  await api.start();
  await api.logIn('admin', PASSWORD);
  for (const [index, host] of ['alpha', 'beta'].entries()) {
    const folder = others[index];
    if (folder) workers[host] = worker(folder, host);
  }
  await Promise.all(Object.values(workers).map((process) => process.start()));
  for (const { name, id } of await hosts()) hostIds[name] = id;
  const installs = await Promise.all(['alpha', 'beta'].map((host) => api.install(undefined, idOf(host))));
  const ends = await Promise.all(installs.map(({ id }) => api.ended(id)));
  if (ends.some(({ state }) => state !== 'succeeded')) throw new Error(`not installed: ${JSON.stringify(ends)}`);
  blueprint = await api.blueprint('shared');
}, 120_000);
afterAll(async () => {
  await Promise.all([...Object.values(workers), api].map((process) => process.end('SIGKILL')));
  await Promise.all(folders.map((folder) => folder.remove()));
  await services.remove();
});

function worker(folder: StateFolder, host: string): PanelProcess {
  return new PanelProcess(folder, ['--role', 'worker'], { ...given, ...HOLDABLE, LEFT4ME_HOST: host });
}

const rootOf = (host: string): string => workers[host]?.folder.root ?? '';

async function hosts(): Promise<HostView[]> {
  return (await api.admin.get('/api/v1/hosts').expect(200)).body.items;
}

function idOf(host: string): number {
  const id = hostIds[host];
  if (id === undefined) throw new Error(`no host ${host}`);
  return id;
}

/** As if the host's worker had not been seen for so much longer. */
async function timePasses(host: string, seconds: number): Promise<void> {
  const client = new pg.Client({ connectionString: services.postgres.url });
  await client.connect();
  await client.query(`UPDATE hosts SET worker_seen_at = worker_seen_at - $2 * interval '1 second' WHERE name = $1`, [
    host,
    seconds,
  ]);
  await client.end();
}

const instances = async (host: string): Promise<string[]> => readdir(join(rootOf(host), 'instances')).catch(() => []);

describe('two hosts on one PostgreSQL and one Redis', () => {
  it('each run the jobs of their own servers', { timeout: 60_000 }, async () => {
    await api.server('on-alpha', blueprint, { hostId: idOf('alpha') });
    await api.server('on-beta', blueprint, { hostId: idOf('beta') });
    const [a, b] = await Promise.all([api.do('on-alpha', 'start'), api.do('on-beta', 'start')]);
    expect([a, b]).toMatchObject([
      { state: 'succeeded', hostName: 'alpha' },
      { state: 'succeeded', hostName: 'beta' },
    ]);
    expect(await instances('alpha')).toEqual(['on-alpha']);
    expect(await instances('beta')).toEqual(['on-beta']);
    // The states and logs of both reach the process that answers.
    await api.reaches('on-alpha', { actualState: 'running', ready: true });
    await api.reaches('on-beta', { actualState: 'running', ready: true });
    await eventually('the log of a server elsewhere', async () => {
      const { body } = await api.admin.get('/api/v1/servers/on-beta/logs').expect(200);
      return body.items.length > 0;
    });
  });

  it('do not hold up each other: an install on one lets the jobs of the other pass', { timeout: 60_000 }, async () => {
    await api.server('waits', blueprint, { hostId: idOf('alpha') });
    await api.server('passes', blueprint, { hostId: idOf('beta') });
    // A build of another name is always set up anew.
    const goOn = await holdInstalls(rootOf('alpha'));
    const install = await api.install('demo-slow', idOf('alpha'));
    const [waits, passes] = [await api.queue('waits', 'initialize'), await api.queue('passes', 'start')];
    expect(await api.job(waits.id)).toMatchObject({
      state: 'queued',
      waitsFor: [{ kind: 'job', jobId: install.id, text: `waits for job ${install.id}, install on alpha` }],
    });
    const passed = await api.ended(passes.id);
    expect(await api.job(install.id)).toMatchObject({ finishedAt: null });
    await goOn();
    const [waited, installed] = [await api.ended(waits.id), await api.ended(install.id)];
    expect([passed, waited, installed].map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(Date.parse(passed.startedAt ?? '')).toBeLessThan(Date.parse(installed.finishedAt ?? ''));
    expect(Date.parse(waited.startedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(installed.finishedAt ?? ''));
  });

  it('refuse a second machine that claims one of them', { timeout: 60_000 }, async () => {
    const stranger = await StateFolder.make();
    folders.push(stranger);
    const env = { ...given, LEFT4ME_HOST: 'alpha' };
    const { code, stderr } = await stranger.finish(['--role', 'worker'], env);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^LEFT4ME_HOST: the host alpha is served by another worker, .*\n$/);
    expect((await hosts()).find(({ name }) => name === 'alpha')).toMatchObject({ online: true });
    expect(await api.do('on-alpha', 'stop')).toMatchObject({ state: 'succeeded' });
  });
});

describe('the console of two hosts', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it('says of servers and jobs which host they are on, and where players find them', { timeout: 60_000 }, async () => {
    const page = await browser.newPage({ extraHTTPHeaders: { cookie: api.cookie } });
    await page.goto(`${api.url}/servers`);
    await page.getByRole('listitem', { name: 'on-beta' }).getByText('on beta').waitFor();
    await page.getByRole('listitem', { name: 'on-alpha' }).getByText('on alpha').waitFor();

    await page.getByRole('link', { name: 'Hosts' }).click();
    await page.getByRole('heading', { name: 'Hosts', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Change the address of beta' }).click();
    await page.getByRole('textbox', { name: 'Address' }).fill('beta.example.org:1');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('must be a name or an IPv4 address').waitFor();
    await page.getByRole('textbox', { name: 'Address' }).fill('beta.example.org');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('region', { name: 'Host beta', exact: true }).getByText('beta.example.org').waitFor();
    const { port } = await api.get('on-beta');
    expect(await api.get('on-beta')).toMatchObject({ connect: `beta.example.org:${port}` });
    expect((await api.get('on-alpha')).connect).not.toContain('beta');

    await page.goto(`${api.url}/servers`);
    await page.getByRole('button', { name: 'New server' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('also-on-beta');
    await dialog.getByLabel('Host').selectOption('beta');
    await dialog.getByRole('button', { name: 'Create server' }).click();
    await page.getByRole('heading', { name: 'also-on-beta' }).waitFor();
    expect(await api.get('also-on-beta')).toMatchObject({ hostName: 'beta' });

    await page.goto(`${api.url}/servers/${(await api.get('on-beta')).id}`);
    await page.getByRole('region', { name: 'Server', exact: true }).getByText('beta', { exact: true }).waitFor();

    await page.goto(`${api.url}/jobs`);
    const filter = page.getByRole('combobox', { name: 'Host' });
    await filter.selectOption('beta');
    const list = page.getByRole('table', { name: 'Jobs' });
    await list.getByText('on-beta').first().waitFor();
    expect(await list.getByText('on-alpha').count()).toBe(0);
    const jobs = (await api.admin.get(`/api/v1/jobs?hostId=${idOf('beta')}`).expect(200)).body.items;
    expect(new Set(jobs.map(({ hostName }: { hostName: string }) => hostName))).toEqual(new Set(['beta']));
  });
});

describe('a host whose worker was killed', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it(
    'is shown offline with its jobs waiting for it, and goes on with them when the worker returns',
    { timeout: 90_000 },
    async () => {
      await workers['beta']?.end('SIGKILL');
      const killed = Date.now();
      const beta = async () => (await hosts()).find(({ name }) => name === 'beta');
      const jobs = [await api.queue('on-beta', 'stop'), await api.queue('on-beta', 'delete')];
      await eventually('beta is shown offline', async () => (await beta())?.online === false, 20);
      expect(Date.now() - killed).toBeLessThan(20_000);
      expect(await api.get('on-beta')).toMatchObject({ actualState: 'unknown', desiredState: 'running' });
      const text = 'waits for host beta, whose worker is not there';
      expect((await api.job(jobs[0]?.id ?? 0)).waitsFor).toMatchObject([{ kind: 'host', text }]);
      expect((await api.job(jobs[1]?.id ?? 0)).waitsFor).toMatchObject([
        { kind: 'job', jobId: jobs[0]?.id },
        { kind: 'host', text },
      ]);
      // The other host is none the worse.
      expect((await hosts()).find(({ name }) => name === 'alpha')).toMatchObject({ online: true });
      expect(await api.do('on-alpha', 'start')).toMatchObject({ state: 'succeeded' });

      const page = await browser.newPage({ extraHTTPHeaders: { cookie: api.cookie } });
      await page.goto(`${api.url}/hosts`);
      const card = page.getByRole('region', { name: 'Host beta' });
      await card.getByText('Worker offline').waitFor();
      await page.getByRole('region', { name: 'Host alpha' }).getByText('Worker online').waitFor();
      await page.goto(`${api.url}/jobs/${jobs[0]?.id}`);
      await page.getByText(text).first().waitFor();

      await workers['beta']?.start();
      for (const { id } of jobs) expect(await api.ended(id)).toMatchObject({ state: 'succeeded' });
      expect(await beta()).toMatchObject({ online: true });
      expect(await api.get('on-beta')).toMatchObject({ actualState: 'absent' });
      expect(await instances('beta')).not.toContain('on-beta');
      await page.goto(`${api.url}/hosts`);
      await card.getByText('Worker online').waitFor();
    },
  );
});

describe('jobs that ran when the worker was killed', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());

  it('say that nobody knows how they ended, until the worker returns and ends them', { timeout: 120_000 }, async () => {
    await api.server('in-the-middle', blueprint, { hostId: idOf('beta') });
    const context = await browser.newContext({ extraHTTPHeaders: { cookie: api.cookie } });
    const [page, list, hostPage] = [await context.newPage(), await context.newPage(), await context.newPage()];
    await list.goto(`${api.url}/jobs`);
    await hostPage.goto(`${api.url}/hosts`);
    const goOn = await holdInstalls(rootOf('beta'));
    const running = await api.install('demo-again', idOf('beta'));
    const behind = await api.queue('in-the-middle', 'start');
    await eventually('it runs', async () => (await api.job(running.id)).progress !== null);
    await workers['beta']?.end('SIGKILL');
    await goOn();

    await page.goto(`${api.url}/jobs/${running.id}`);
    await page.getByText('Running for').waitFor();
    const row = list.getByRole('row').filter({ hasText: `#${running.id}` });
    const current = hostPage.getByRole('region', { name: 'Current job' });
    await current.getByRole('progressbar').waitFor();
    const unknown = 'host beta is offline: how this job ended is known when its worker is back';
    const shown = /Host beta is offline: how this job ended is known when its worker is back/;
    await timePasses('beta', OFFLINE_AFTER_S);
    await eventually('it says so', async () => (await api.job(running.id)).waitsFor.length > 0);
    expect(await api.job(running.id)).toMatchObject({
      state: 'running',
      waitsFor: [{ kind: 'host', text: unknown }],
    });
    // The open pages hear of it by themselves.
    for (const place of [page, row, current]) {
      await place.getByText(shown).waitFor();
      await place.getByText('Unknown · the host is offline').waitFor();
      expect(await place.getByRole('progressbar').count()).toBe(0);
      expect(await place.locator('.spin').count()).toBe(0);
      expect(await place.getByText(/so far|Running/).count()).toBe(0);
    }
    const waiting = list.getByRole('row').filter({ hasText: `#${behind.id}` });
    await waiting.getByText('waits for host beta, whose worker is not there').waitFor();

    await page.getByRole('button', { name: 'Cancel job' }).click();
    const later = /Host beta is offline: the cancellation takes effect when its worker is back/;
    await page.getByText(later).first().waitFor();
    await row.getByText(later).waitFor();
    expect(await row.locator('.spin').count()).toBe(0);
    expect(await api.job(running.id)).toMatchObject({
      state: 'cancelling',
      waitsFor: [{ kind: 'host', text: 'host beta is offline: the cancellation takes effect when its worker is back' }],
    });

    await workers['beta']?.start();
    expect(await api.ended(running.id)).toMatchObject({ state: 'cancelled', waitsFor: [] });
    expect(await api.ended(behind.id)).toMatchObject({ state: 'succeeded' });
    for (const place of [page, row, current]) await place.getByText('Cancelled', { exact: true }).first().waitFor();
    expect(await page.getByRole('main').getByText(later).count()).toBe(0);
  });
});

describe('the roles of a process', () => {
  it('make an API say that it runs no jobs', () => {
    expect(api.said()).toContain('It runs no jobs itself: the worker of each host does (--role worker).');
  });

  it('leave a worker without an address and without accounts of its own', () => {
    expect(workers['alpha']?.said()).toContain('left4me is running: the worker of host alpha');
    expect(workers['alpha']?.said()).not.toContain('http://');
    expect(workers['alpha']?.said()).not.toContain('admin');
  });
});
