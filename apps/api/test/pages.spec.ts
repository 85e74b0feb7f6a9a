import { mkdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { StandInWorkshop, vpk } from '../../../libs/host/test/support/stand-in-workshop.js';
import type { JobView } from '../src/jobs/job.dto.js';
import { launchBrowser } from './browser.js';
import { eventually } from './eventually.js';
import { PASSWORD, RealPanel } from './real-panel.js';

/**
 * Every page of the console, on phone and desktop, light and dark: axe finds nothing, nothing is wider than the screen. With
 * LEFT4ME_SCREENSHOTS set to a folder (`npm run screenshots`) a picture of each is left there to look at.
 */
const screens = [
  { name: 'phone', width: 390, height: 844 },
  { name: 'desktop', width: 1280, height: 900 },
];
const pictures = process.env['LEFT4ME_SCREENSHOTS'];
/** axe's rules about colours. */
const OF_COLOURS = ['color-contrast', 'link-in-text-block'];

const violations = z.array(
  z.object({ id: z.string(), help: z.string(), nodes: z.array(z.object({ html: z.string() })) }),
);

let steam: StandInWorkshop;
let panel: RealPanel;
let browser: Browser;
let axe: string;
/** Name of the picture → address; filled in when the panel has something to show. */
const pages: Record<string, string> = {
  servers: '/servers',
  'server-log': '',
  'server-jobs': '',
  'server-settings': '',
  'server-files': '',
  'server-file': '',
  'server-failed': '',
  'server-by-name': '/servers/running',
  blueprints: '/blueprints',
  'blueprint-new': '/blueprints/new',
  blueprint: '/blueprints/1',
  overlays: '/overlays',
  overlay: '/overlays/1',
  'overlay-draft': '',
  'overlay-revisions': '/overlays/1?tab=revisions',
  'overlay-workshop': '',
  'overlay-script': '',
  jobs: '/jobs',
  job: '/jobs/1',
  'job-failed': '',
  'job-cancelled': '',
  trash: '/trash',
  hosts: '/hosts',
  users: '/users',
  tokens: '/tokens',
  secrets: '/secrets',
  account: '/account',
  'not-found': '/nowhere',
};

beforeAll(async () => {
  steam = await StandInWorkshop.start();
  [panel, browser] = await Promise.all([RealPanel.make({ LEFT4ME_WORKSHOP_URL: steam.url }), launchBrowser()]);
  axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  if (pictures) await mkdir(pictures, { recursive: true });
  await fill();
}, 120_000);
afterAll(async () => {
  await browser.close();
  await panel.close();
  await steam.stop();
});

/** A panel as a community has it after a while. */
async function fill(): Promise<void> {
  const { admin } = panel;
  const maps = await panel.overlay('Custom campaigns', {
    'left4dead2/addons/readme.txt': 'maps go here',
    'left4dead2/cfg/server.cfg': 'sv_region 3\n',
  });
  await admin
    .post(`/api/v1/overlays/${maps}/uploads`)
    .send({ path: 'left4dead2/maps/c1.bsp', size: 9, source: { name: 'c1.bsp', modifiedAt: '2026-11-01T10:00:00Z' } })
    .expect(201);
  const broken = await panel.overlay('broken pack', {
    srcds_run: '#!/bin/sh\necho "cannot open shared object file"\nexit 7\n',
  });
  const draft = await panel.draft('not built yet', { 'cfg/rules.cfg': 'sv_cheats 0\n', 'grüße.cfg': 'say grüße\n' });
  const coop = await panel.blueprint('Cooperative evening', [maps], {
    description: 'Four players, expert',
    arguments: ['+map', 'c1m1_hotel'],
    config: 'sv_cheats 0\nz_difficulty expert',
  });
  const faulty = await panel.blueprint('Faulty', [broken]);
  const running = await panel.server('running', coop, { title: 'Friday evening, everybody welcome' });
  await panel.server('stopped', coop, { title: 'Training' });
  await panel.server('new', coop);
  const unhappy = await panel.server('broken', faulty, { title: 'Does not start' });
  await panel.startServer('running');
  await panel.do('stopped', 'initialize');
  const failed = await panel.do('broken', 'start');
  expect(failed.state).toBe('failed');
  await panel.server('given-up', coop);
  await panel.startServer('given-up');
  await panel.do('given-up', 'delete');
  pages['overlay-draft'] = `/overlays/${draft}`;
  pages['overlay-script'] = `/overlays/${await scriptOverlay()}`;
  pages['overlay-workshop'] = `/overlays/${await workshopOverlay()}`;
  pages['job-cancelled'] = `/jobs/${(await cancelled('stopped')).id}`;
  pages['job-failed'] = `/jobs/${failed.id}`;
  pages['server-log'] = `/servers/${running.id}`;
  pages['server-jobs'] = `/servers/${running.id}?tab=jobs`;
  pages['server-settings'] = `/servers/${running.id}?tab=settings`;
  pages['server-files'] = `/servers/${running.id}?tab=files&path=left4dead2`;
  pages['server-file'] = `/servers/${running.id}?tab=files&path=left4dead2/cfg&file=left4dead2/cfg/server.cfg`;
  pages['server-failed'] = `/servers/${unhappy.id}`;
  await admin.patch(`/api/v1/blueprints/${coop}`).send({ config: 'sv_cheats 0\nz_difficulty hard' }).expect(200);
  await admin.post('/api/v1/users').send({ name: 'zoey', password: PASSWORD, role: 'user' }).expect(201);
  await admin
    .post('/api/v1/tokens')
    .send({ name: 'night restarts', scopes: ['read', 'operate'] })
    .expect(201);
  await admin.put('/api/v1/secrets/ADMIN_STEAM_ID').send({ value: 'STEAM_1:0:1' }).expect(200);
}

async function scriptOverlay(): Promise<number> {
  const { admin } = panel;
  const { body } = await admin.post('/api/v1/overlays').send({ name: 'SourceMod', kind: 'script' }).expect(201);
  const script = 'set -euo pipefail\nmkdir -p "$LEFT4ME_OVERLAY/left4dead2/addons"\n';
  await admin.put(`/api/v1/overlays/${body.id}/script`).send({ script }).expect(200);
  return body.id;
}

/** Built, with an item that is new since then and one that cannot be had. */
async function workshopOverlay(): Promise<number> {
  const { admin } = panel;
  steam.item('1', vpk('a campaign', 3_000_000), { title: 'A campaign' });
  steam.collection('2', ['1'], { title: 'What we play on Fridays' });
  steam.item('3', vpk('bots'), { title: 'Survivor bots that know what they are doing, for expert evenings' });
  const { body } = await admin.post('/api/v1/overlays').send({ name: 'Workshop', kind: 'workshop' }).expect(201);
  const items = `/api/v1/overlays/${body.id}/workshop-items`;
  await admin
    .post(items)
    .send({ ids: ['2'] })
    .expect(201);
  expect((await panel.build(body.id)).state).toBe('succeeded');
  await admin
    .post(items)
    .send({ ids: ['3', '4'] })
    .expect(201);
  await admin.patch(`${items}/3`).send({ fileName: 'bots.vpk' }).expect(200);
  return body.id;
}

/** A restart that was cancelled while it waited. */
async function cancelled(server: string): Promise<JobView> {
  const ahead = await panel.queue(server, 'initialize');
  const { id } = await panel.queue(server, 'restart');
  await panel.admin.post(`/api/v1/jobs/${id}/cancel`).expect(202);
  await panel.ended(ahead.id);
  return panel.ended(id);
}

async function open(page: Page, path: string): Promise<void> {
  await page.emulateMedia({ colorScheme: 'light' });
  await page.goto(panel.url + path);
  await page.locator('h1').first().waitFor();
  // Everything that loads has loaded; the live connection stays open, so the network never is idle.
  await eventually(
    'the page has loaded',
    async () => (await page.locator('.loading, [aria-busy="true"]').count()) === 0,
  );
  await page.evaluate('document.fonts.ready.then(() => undefined)');
  await page.evaluate(axe);
}

/** @param rules axe's, where not all are to be asked */
async function examine(page: Page, picture: string, rules?: readonly string[]): Promise<void> {
  if (pictures) await page.screenshot({ path: join(pictures, `${picture}.png`), fullPage: true });
  const wider = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
  expect(wider, `${picture} is wider than the screen`).toBeLessThanOrEqual(0);
  const only = rules ? JSON.stringify({ runOnly: rules }) : '';
  const found = violations.parse(await page.evaluate(`axe.run(${only}).then((result) => result.violations)`));
  expect(
    found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((n) => n.html).join(' ')}`),
    picture,
  ).toEqual([]);
}

describe.each(screens)('on a $name', ({ name, width, height }) => {
  let page: Page;
  beforeAll(async () => {
    page = await browser.newPage({ viewport: { width, height }, reducedMotion: 'reduce' });
  });
  afterAll(() => page.close());

  /** Light and dark are the same page in other colours: it is loaded once, and what axe says of all but colours it says once. */
  async function examineInBoth(title: string): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      // The new colours are there once they are painted and nothing fades any more: what inherits one fades after what it is from.
      await page.evaluate('new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))');
      const fading = () => page.evaluate<number>('document.getAnimations().length');
      await eventually(`${title} is ${colorScheme}`, async () => (await fading()) === 0);
      await examine(page, `${title}-${name}-${colorScheme}`, colorScheme === 'dark' ? OF_COLOURS : undefined);
    }
  }

  it('shows the login', async () => {
    await open(page, '/login');
    await examineInBoth('login');
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.waitForURL('**/servers');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Servers');
  });

  it.each(Object.keys(pages))('shows %s', async (title) => {
    await open(page, pages[title] ?? '');
    const known = title === 'not-found' || (await page.getByText('There is no page here').count()) === 0;
    expect(known, `${title} has an address that the console does not know`).toBe(true);
    await examineInBoth(title);
    const cut = await page
      .locator('.segments')
      .evaluateAll((groups) => groups.filter((group) => group.scrollWidth > group.clientWidth).length);
    expect(cut, 'choices that do not fit').toBe(0);
  });
});
