import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchBrowser } from './browser.js';
import { freePort } from './free-port.js';
import { PASSWORD, RealPanel } from './real-panel.js';
import { askInfo } from './source-client.js';

/** The whole main job in a browser, from an empty panel to a stopped server, with nothing but what a person sees and clicks. */
let panel: RealPanel;
let browser: Browser;
let page: Page;
const problems: string[] = [];

beforeAll(async () => {
  [panel, browser] = await Promise.all([RealPanel.empty(), launchBrowser()]);
  page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', (error) => problems.push(error.message));
});
afterAll(async () => {
  await browser.close();
  await panel.close();
});

const button = (name: string | RegExp) => page.getByRole('button', { name });
const see = (text: string | RegExp) => page.getByText(text).first().waitFor();

it('goes from an empty panel to a running server that answers, and stops it again', async () => {
  const port = await freePort();

  // A link that would lead out of the panel after the login is not followed.
  await page.goto(`${panel.url}/login?to=%2F%2Felsewhere.example%2F`);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill(PASSWORD);
  await button('Log in').click();
  await page.getByRole('heading', { name: 'From nothing to a running server' }).waitFor();
  expect(new URL(page.url()).origin).toBe(panel.url);

  await button('Install the game').click();
  await page.getByRole('link', { name: 'New overlay' }).waitFor();

  await page.getByRole('link', { name: 'New overlay' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('house rules');
  await button('Create overlay').click();
  await page.getByRole('heading', { name: 'house rules' }).waitFor();
  await page
    .getByLabel('Files to upload')
    .setInputFiles({ name: 'motd.txt', mimeType: 'text/plain', buffer: Buffer.from('be nice') });
  await see('motd.txt');
  await button('Build').click();
  await see(/^Revision 1 is published/);

  await page.goto(`${panel.url}/blueprints/new`);
  await page.getByLabel('Name').fill('evening');
  await page.getByLabel('Add an overlay').click();
  await page.getByRole('option', { name: 'house rules' }).click();
  await page.getByLabel('Commands the server runs at every map change').fill('sv_cheats 0');
  await button('Add argument').click();
  await page.getByRole('textbox', { name: 'Argument 1' }).fill('+map');
  await button('Add argument').click();
  await page.getByRole('textbox', { name: 'Argument 2' }).fill('c5m1_waterfront');
  await button('Create blueprint').click();
  await page.getByRole('heading', { name: 'evening' }).waitFor();

  await page.goto(panel.url);
  await button('New server').first().click();
  await dialog.getByLabel('Name').fill('evening-1');
  await dialog.getByLabel('Title').fill('Our evening server');
  await dialog.getByLabel('Port').fill(String(port));
  await button('Create server').click();
  await page.getByRole('heading', { name: 'Our evening server' }).waitFor();

  // The job's log, then the server's log, arrive by themselves; nothing is reloaded from here on.
  await button('Start').click();
  await see(/prepared generation 1/);
  await see('VAC secure mode is activated.');
  await see('Running');
  await see(/ready/);
  expect(await askInfo(port)).toMatchObject({ name: 'Our evening server', map: 'c5m1_waterfront' });

  await button('Stop').click();
  await see('Stopped');
  expect(await askInfo(port, 500)).toBeNull();
  expect(problems).toEqual([]);
}, 120_000);
