import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { HostView } from '../src/hosts/host.dto.js';
import { NewestBuildWatch } from '../src/hosts/newest-build-watch.js';
import { PASSWORD } from './app.js';
import { launchBrowser } from './browser.js';
import { type QueuePanel, startQueue } from './queue-panel.js';
import { StandInHost } from './stand-in-host.js';

/** What the panel knows and shows of Steam's newest build. */
let panel: QueuePanel;
let watch: NewestBuildWatch;
const host = new StandInHost();

beforeAll(async () => {
  Object.assign(host.game, { current: '101', builds: ['101', '100'] });
  panel = await startQueue({}, host);
  watch = panel.app.get(NewestBuildWatch, { strict: false });
});
afterAll(() => panel.close());
beforeEach(async () => {
  host.game.current = '101';
  await panel.ended((await panel.install()).id);
});

const seen = async (): Promise<HostView> => (await panel.admin.get(`/api/v1/hosts/${panel.hostId}`).expect(200)).body;

it('is not known before Steam was asked', async () => {
  expect(await seen()).toMatchObject({
    currentBuild: '101',
    newestBuild: null,
    newestBuildAt: null,
    updateAvailable: false,
  });
});

it('is told with each host once Steam was asked, and whether it is another one than the current', async () => {
  host.found = '102';
  await watch.look(panel.hostId);
  expect(await seen()).toMatchObject({ currentBuild: '101', newestBuild: '102', updateAvailable: true });
  expect(Date.now() - Date.parse((await seen()).newestBuildAt ?? '')).toBeLessThan(60_000);
  host.found = '101';
  await watch.look(panel.hostId);
  expect(await seen()).toMatchObject({ newestBuild: '101', updateAvailable: false });
});

it('is not asked for while an install is under way', async () => {
  const before = await seen();
  const release = host.hold('install', 'local');
  const { id } = await panel.install();
  await panel.reaches(id, 'running');
  host.found = '103';
  await watch.look(panel.hostId);
  expect((await seen()).newestBuild).toBe(before.newestBuild);
  release();
  await panel.ended(id);
  await watch.look(panel.hostId);
  expect((await seen()).newestBuild).toBe('103');
});

it('does not end the panel when Steam is away', async () => {
  host.found = new Error('Steam could not be reached');
  await watch.look(panel.hostId);
  expect((await seen()).online).toBe(true);
});

it('is shown in the console, where an admin goes back to an earlier build', async () => {
  const browser = await launchBrowser();
  try {
    const page = await signedIn(await browser.newPage());
    await page.goto(`${panel.url}/hosts`);
    host.found = '104';
    await watch.look(panel.hostId); // the page hears of it by itself
    await page.getByText('Update available: build 104.').waitFor();
    await page.getByRole('button', { name: 'Update to 104' }).waitFor();
    const builds = page.getByRole('table', { name: 'Installed builds' });
    await builds.getByRole('button', { name: /: build 100$/ }).click();
    await builds.getByRole('row', { name: /^100 / }).getByText('Current', { exact: true }).waitFor();
    expect(await seen()).toMatchObject({ currentBuild: '100', updateAvailable: true });
    const { body } = await panel.admin.get('/api/v1/jobs?limit=1').expect(200);
    // It is current a moment before its job has ended.
    expect(await panel.ended(body.items[0].id)).toMatchObject({ operation: 'install', state: 'succeeded' });
  } finally {
    await browser.close();
  }
});

async function signedIn(page: Page): Promise<Page> {
  page.setDefaultTimeout(15_000);
  await page.goto(`${panel.url}/login`);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/servers');
  return page;
}
