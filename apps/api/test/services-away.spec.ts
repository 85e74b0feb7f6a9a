import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DataSource } from 'typeorm';
import { openDatabase } from '../src/database/data-source.js';
import { PASSWORD } from './app.js';
import { launchBrowser } from './browser.js';
import { eventually } from './eventually.js';
import { type QueuePanel, startQueue } from './queue-panel.js';
import { type StoppableServices, stoppableServices } from './stoppable-services.js';

let services: StoppableServices;
let panel: QueuePanel;

beforeAll(async () => {
  services = await stoppableServices();
  await (await openDatabase(services.postgres.url)).destroy();
  panel = await startQueue({ databaseUrl: services.postgres.url, redisUrl: services.redis.url });
}, 120_000);
afterAll(async () => {
  await panel.close();
  await services.remove();
});

const answers = async (): Promise<boolean> => {
  const { status } = await panel.anonymous.get('/health/ready');
  return status === 200;
};

it('keeps what a job does and says while PostgreSQL is killed and comes back', async () => {
  await panel.server('survivor');
  let go = () => {};
  const gone = new Promise<void>((resolve) => (go = resolve));
  panel.host.on('stop', 'survivor', async ({ output }) => {
    await output.write('stdout', 'before');
    await gone;
    for (let i = 0; i < 100; i++) await output.write('stdout', `while it is away ${i}`);
  });
  const job = await panel.queue('survivor', 'stop');
  const behind = await panel.queue('survivor', 'initialize');
  await panel.reaches(job.id, 'running');

  await services.postgres.kill();
  go();
  await eventually('the panel says that it is not ready', async () => !(await answers()));
  await services.postgres.start();
  await eventually('the panel is ready again', answers, 30);

  expect(await panel.ended(job.id)).toMatchObject({ state: 'succeeded', exitCode: 0 });
  await panel.ended(behind.id);
  const lines = (await panel.log(job.id)).map(({ line }) => line);
  expect(lines).toEqual(['stop survivor', 'before', ...Array.from({ length: 100 }, (_, i) => `while it is away ${i}`)]);
  expect(panel.host.begun.filter((call) => call === 'stop survivor')).toHaveLength(1);
  expect(await panel.app.get(DataSource).query('SELECT 1 FROM job_claims')).toEqual([]);
});

it('takes jobs while Redis is stopped, and runs them once it is back', async () => {
  await panel.server('offline');
  await services.redis.kill();
  const jobs = [await panel.queue('offline', 'stop'), await panel.queue('offline', 'initialize')];
  await services.redis.start();
  for (const { id } of jobs) expect((await panel.ended(id)).finishedAt).not.toBeNull();
  const ran = panel.host.begun.filter((call) => call.endsWith(' offline'));
  expect(ran[0]).toBe('stop offline');
  expect(ran.filter((call) => call === 'stop offline')).toHaveLength(1);
});

describe('the console', () => {
  let browser: Browser;
  let page: Page;
  beforeAll(async () => {
    browser = await launchBrowser();
    page = await browser.newPage();
    await page.goto(`${panel.url}/login`);
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/servers');
  });
  afterAll(() => browser.close());

  it('says on an open page within some ten seconds that Redis is away, until it is back', async () => {
    const banner = page.getByText('Redis does not answer: jobs are kept and go on when it is back.');
    const waits = page.getByRole('main').getByText('Waits for Redis, which does not answer.');
    await services.redis.kill();
    try {
      await banner.waitFor({ timeout: 13_000 });
      await panel.server('patient');
      const { id } = await panel.queue('patient', 'initialize');
      await page.goto(`${panel.url}/jobs/${id}`);
      await banner.waitFor({ timeout: 13_000 });
      await waits.waitFor();
    } finally {
      await services.redis.start();
    }
    await banner.waitFor({ state: 'hidden', timeout: 13_000 });
    await waits.waitFor({ state: 'hidden' });
    expect(await page.getByText('does not answer').count()).toBe(0);
  });

  it('says that PostgreSQL is away, and shows what was asked for in vain as soon as it is back', async () => {
    const banner = page.getByText('PostgreSQL does not answer: nothing can be shown or changed until it is back.');
    await services.postgres.kill();
    try {
      await page.goto(`${panel.url}/servers`);
      await banner.waitFor({ timeout: 13_000 });
    } finally {
      await services.postgres.start();
    }
    await banner.waitFor({ state: 'hidden', timeout: 20_000 });
    await page.getByRole('link', { name: 'survivor' }).waitFor();
    expect(await page.getByText('This could not be loaded.').count()).toBe(0);
  });
});

it('starts without Redis, takes jobs, and runs them once Redis has come', async () => {
  await services.redis.kill();
  const late = await startQueue({ redisUrl: services.redis.url });
  try {
    await late.server('early');
    const { id } = await late.queue('early', 'stop');
    await services.redis.start();
    expect((await late.ended(id)).state).toBe('succeeded');
  } finally {
    await late.close();
  }
});

it('stops within seconds while Redis is away, its running job ended as interrupted', async () => {
  const late = await startQueue({ redisUrl: services.redis.url });
  try {
    await late.server('caught');
    late.host.hold('stop', 'caught');
    const { id } = await late.queue('caught', 'stop');
    await late.reaches(id, 'running');
    await services.redis.kill();
    const began = Date.now();
    await late.app.close();
    expect(Date.now() - began).toBeLessThan(10_000);
    const database = await openDatabase(late.settings.databaseUrl);
    const jobs = await database.query<unknown[]>('SELECT state, error FROM jobs WHERE id = $1', [id]);
    await database.destroy();
    expect(jobs).toEqual([
      {
        state: 'failed',
        error: expect.stringMatching(/^interrupted: the panel was stopped while the job ran\. The server is /),
      },
    ]);
  } finally {
    await services.redis.start();
    await late.close();
  }
});
