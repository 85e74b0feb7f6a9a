import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PASSWORD } from './app.js';
import { launchBrowser } from './browser.js';
import { eventually } from './eventually.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

/** The console of a panel with two hosts, where the worker of the second is away and has no game. */
let panel: QueuePanel;
let browser: Browser;
let page: Page;
let attic: number;
let far: number;
let waiting: { ahead: number; id: number };

beforeAll(async () => {
  [panel, browser] = await Promise.all([startQueue(), launchBrowser()]);
  const [host] = await panel.database.query<[{ id: number }]>(
    `INSERT INTO hosts (name, worker_seen_at) VALUES ('attic', clock_timestamp() - interval '1 minute') RETURNING id`,
  );
  attic = host.id;
  await panel.server('near');
  const { body } = await panel.admin.get('/api/v1/servers/near').expect(200);
  const server = { name: 'far-away', title: 'A title of some length', blueprintId: body.blueprintId, hostId: attic };
  far = (await panel.admin.post('/api/v1/servers').send(server).expect(201)).body.id;
  page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${panel.url}/login`);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/servers');
}, 120_000);
afterAll(async () => {
  await browser.close();
  await panel.close();
});

/** With LEFT4ME_SCREENSHOTS set to a folder: pictures of the page to look at. */
async function picture(name: string): Promise<void> {
  const folder = process.env['LEFT4ME_SCREENSHOTS'];
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  for (const width of [390, 1024, 1440]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await page.waitForTimeout(150);
      await page.screenshot({ path: join(folder, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
}

/** Asks the page for a value. */
async function look<S extends z.ZodType>(schema: S, script: string): Promise<z.output<S>> {
  return schema.parse(await page.evaluate(script));
}

describe('the guide', { timeout: 90_000 }, () => {
  const step = (title: string) =>
    page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: title }) });

  it('says which host has no game, and does not stop there', async () => {
    await step('Install the game').getByText('every server on its host').waitFor();
    await panel.ended((await panel.install()).id);
    await step('Install the game').getByText('Still without it: attic.').waitFor();
    await step('Install the game').getByRole('link', { name: 'Install on hosts' }).waitFor();
    await picture('guide');
    expect(await step('Install the game').getByText('(done)').count()).toBe(0);
    expect(await step('Add an overlay').getByText('(optional)').count()).toBe(1);
    expect(await page.locator('[aria-current=step] h3').textContent()).toContain('Start it');
  });
});

describe('the page of hosts', { timeout: 90_000 }, () => {
  it('says how a worker comes back and how another machine is added', async () => {
    await page.goto(`${panel.url}/host`);
    await page.waitForURL('**/hosts');
    const card = page.getByRole('region', { name: 'Host attic' });
    await card.getByText('LEFT4ME_HOST=attic npm start -- --role worker').waitFor();
    await card.getByRole('button', { name: 'Copy the command that starts the worker of attic' }).waitFor();
    await page.getByRole('region', { name: 'Another machine' }).getByText('DATABASE_URL').waitFor();
    await picture('hosts');
    const near = page.getByRole('region', { name: 'Host local' });
    expect(await near.getByText('npm start').count()).toBe(0);
  });
});

describe('what waits for the host', { timeout: 90_000 }, () => {
  beforeAll(async () => {
    waiting = { ahead: (await panel.queue('far-away', 'start')).id, id: (await panel.queue('far-away', 'restart')).id };
    await eventually('both reasons are told', async () => (await panel.job(waiting.id)).waitsFor.length === 2);
  });

  it('is named once on the page of its server, which leads to the hosts', async () => {
    await page.goto(`${panel.url}/servers/${far}`);
    const main = page.getByRole('main');
    await main.getByText('Host attic has no game yet.').waitFor();
    expect(await main.getByRole('link', { name: 'Hosts' }).getAttribute('href')).toBe('/hosts');
    await picture('server');
    await page.goto(`${panel.url}/jobs/${waiting.id}`);
    const reasons = page.getByRole('list', { name: 'What this job waits for' });
    const link = reasons.getByRole('link', { name: `job ${waiting.ahead}`, exact: true });
    expect(await link.getAttribute('href')).toBe(`/jobs/${waiting.ahead}`);
    await picture('job');
    expect((await reasons.innerText()).match(new RegExp(`job #?${waiting.ahead}\\b`, 'gi'))).toHaveLength(1);
  });

  it('is told whole in the lists, whose columns line up', async () => {
    await page.goto(`${panel.url}/servers`);
    const reason = page
      .getByRole('listitem', { name: 'far-away' })
      .getByText('waits for host attic, whose worker is not there');
    await reason.waitFor();
    await picture('servers');
    const hidden = () => reason.evaluate((element) => element.scrollWidth - element.clientWidth);
    for (const width of [1440, 1024]) {
      await page.setViewportSize({ width, height: 900 });
      const edges = await look(
        z.array(z.array(z.number())),
        `[...document.querySelectorAll('.server')].map((row) => [...row.children].map((cell) => cell.getBoundingClientRect().left))`,
      );
      expect(edges, `${width}`).toHaveLength(2);
      expect(edges[0], `${width}`).toEqual(edges[1]);
      expect(await hidden(), `${width}`).toBe(0);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await hidden()).toBe(0);
    await page.goto(`${panel.url}/jobs`);
    await page.getByText('waits for host attic, whose worker is not there').first().waitFor();
    await picture('jobs');
  });
});

describe('a job that waits for another', { timeout: 90_000 }, () => {
  it('is told whole on a phone', async () => {
    const release = panel.host.hold('stop', 'near');
    const running = await panel.queue('near', 'stop');
    const behind = await panel.queue('near', 'initialize');
    await page.goto(`${panel.url}/jobs`);
    const row = page.getByRole('row').filter({ hasText: `#${behind.id}` });
    const reason = row.getByText(`waits for job ${running.id}, stop of near`);
    await reason.waitFor();
    await picture('jobs-behind');
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await reason.evaluate((element) => element.scrollWidth - element.clientWidth)).toBe(0);
    release();
    await panel.ended(behind.id);
  });
});
