import type { Browser, Page, Request } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from './browser.js';
import { eventually } from './eventually.js';
import { PASSWORD } from './app.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

/** What the console does with a long log, without a connection and without a mouse. */
let panel: QueuePanel;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [panel, browser] = await Promise.all([startQueue(), launchBrowser()]);
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: panel.url });
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(`${panel.url}/login`);
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/servers');
});
afterAll(async () => {
  await browser.close();
  await panel.close();
});

describe('a job log of 100,000 lines', { timeout: 90_000 }, () => {
  const log = () => page.getByRole('log');

  beforeAll(async () => {
    await panel.server('long');
    const { id } = await panel.ended((await panel.queue('long', 'stop')).id);
    await panel.database.query(
      `INSERT INTO job_log (job_id, seq, stream, line, at)
       SELECT $1, 1 + n, 'stdout', CASE WHEN n % 1000 = 0 THEN 'needle ' ELSE 'hay ' END || n, now() FROM generate_series(1, 99999) n`,
      [id],
    );
    await page.goto(`${panel.url}/jobs/${id}`);
    await log().getByText('hay 99999').waitFor();
  });

  it('is shown from its end, with few rows in the page at any time', async () => {
    const lines = () => log().getByText(/^(hay|needle) \d+$/);
    expect(await lines().count()).toBeLessThan(200);
    // Far up and down again, in big steps: there are always lines to see.
    for (const part of [0.5, 0.01, 0.9, 0]) {
      await page.evaluate(
        `(() => { const log = document.querySelector('[role=log]'); log.scrollTop = log.scrollHeight * ${part}; })()`,
      );
      await eventually('lines are in sight', async () => (await lines().count()) > 5);
      expect(await lines().count()).toBeLessThan(200);
    }
    await log().getByText('stop long').waitFor();
  });

  it('is searched', async () => {
    await page.getByRole('searchbox').fill('needle');
    await page.getByText(/of 99$/).waitFor();
    await page.getByRole('button', { name: 'Next match' }).click();
    await log()
      .getByText(/^needle \d+$/)
      .first()
      .waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('needle');
    await page.getByRole('button', { name: 'Clear search' }).click();
  });
});

describe('a lost connection', { timeout: 90_000 }, () => {
  it('is shown, heals by itself, and what changed meanwhile is seen', async () => {
    await panel.server('watched');
    await page.goto(`${panel.url}/servers`);
    await page.getByText('watched').first().waitFor();
    await page.context().setOffline(true);
    // Chromium keeps an open socket when it goes offline.
    panel.dropConnections();
    await page.getByText('Connection lost, retrying.').waitFor();
    await panel.server('made-meanwhile');
    await page.context().setOffline(false);
    await page.getByText('Connection lost, retrying.').waitFor({ state: 'hidden' });
    await page.getByText('made-meanwhile').first().waitFor();
    expect(await page.getByText('Connection lost, retrying.').isVisible()).toBe(false);
  });
});

describe('a user who logs in where another one is logged in', { timeout: 90_000 }, () => {
  const logIn = async (tab: Page, name: string) => {
    await tab.getByLabel('User name').fill(name);
    await tab.getByLabel('Password').fill(PASSWORD);
    await tab.keyboard.press('Enter');
    await tab.waitForURL('**/servers');
  };
  const account = (tab: Page, name: string) => tab.locator('.account').getByText(name, { exact: true });
  const logOut = async (tab: Page, name: string) => {
    await account(tab, name).click();
    await tab.getByRole('menuitem', { name: 'Log out' }).click();
  };

  it('sees nothing of that one’s in any tab, also where the live connection is lost', async () => {
    await panel.server('of-the-admin');
    await panel.user('ben');
    const context = await browser.newContext({ baseURL: panel.url });
    context.setDefaultTimeout(30_000);
    const [tab, other] = [await context.newPage(), await context.newPage()];
    await tab.routeWebSocket('**/api/v1/ws', () => undefined);
    await Promise.all([tab.goto('/login'), other.goto('/login')]);
    const asking = new Set<Request>();
    tab.on('request', (request) => void asking.add(request));
    tab.on('requestfinished', (request) => void asking.delete(request));
    tab.on('requestfailed', (request) => void asking.delete(request));
    await logIn(tab, 'admin');
    await tab.getByText('of-the-admin').first().waitFor();
    await tab.getByRole('link', { name: 'Users' }).click();
    await tab.getByRole('cell', { name: 'ben' }).first().waitFor();
    // What it asks while the session ends would lead it to the login.
    await expect.poll(() => asking.size, { timeout: 15_000 }).toBe(0);
    await logIn(other, 'ben');
    await tab.getByText('Only admins see this page').waitFor();

    // What the console knows is shown until it knows better.
    let answer = (): void => undefined;
    const asked = new Promise<void>((resolve) => (answer = resolve));
    await tab.route('**/api/v1/servers?*', async (route) => {
      await asked;
      await route.continue();
    });
    await tab.getByRole('link', { name: 'Servers', exact: true }).click();
    await tab.getByRole('heading', { name: 'Servers', exact: true }).waitFor();
    expect(await tab.getByText('of-the-admin').count()).toBe(0);
    answer();
    await tab.getByRole('heading', { name: 'From nothing to a running server' }).waitFor();
    await tab.unrouteAll({ behavior: 'wait' });
    await context.close();
  });

  it('gets no page with what that one had typed, who goes on with it after logging in again', async () => {
    await panel.user('carl');
    const context = await browser.newContext({ baseURL: panel.url });
    context.setDefaultTimeout(30_000);
    const [tab, other] = [await context.newPage(), await context.newPage()];
    await Promise.all([tab.goto('/login'), other.goto('/login')]);
    await logIn(tab, 'admin');
    await other.goto('/servers');
    await tab.getByRole('link', { name: 'Blueprints' }).click();
    await tab.getByRole('link', { name: 'New blueprint' }).first().click();
    const name = tab.getByLabel('Name', { exact: true });
    await name.fill('of the admin');
    const held = tab.getByRole('dialog', { name: 'Leave without saving?' });

    await logOut(other, 'admin');
    await held.waitFor();
    await logIn(other, 'admin');
    await account(tab, 'admin').waitFor();
    await held.getByRole('button', { name: 'Stay here' }).click();
    await held.waitFor({ state: 'hidden' });
    expect(await name.inputValue()).toBe('of the admin');

    await logOut(other, 'admin');
    await held.waitFor();
    await logIn(other, 'carl');
    await account(tab, 'carl').waitFor();
    await held.waitFor({ state: 'hidden' });
    expect(await name.inputValue()).toBe('');
    await tab.getByRole('link', { name: 'Jobs', exact: true }).click();
    await tab.getByRole('heading', { name: 'Jobs', exact: true }).waitFor();
    await context.close();
  });

  it('finds scripts as they are saved, while their writer finds what was typed again', async () => {
    const made = { name: 'scripted', kind: 'script', catalog: true };
    await panel.admin.post('/api/v1/overlays').send(made).expect(201);
    await panel.user('dana');
    const context = await browser.newContext({ baseURL: panel.url });
    context.setDefaultTimeout(30_000);
    const tab = await context.newPage();
    const script = tab.getByLabel('Script', { exact: true }).and(tab.locator('textarea'));
    const open = async () => {
      await tab.getByRole('link', { name: 'Overlays', exact: true }).click();
      await tab.getByRole('link', { name: 'scripted' }).first().click();
      await script.waitFor();
    };
    const leave = async () => {
      await logOut(tab, 'admin');
      await tab.getByRole('button', { name: 'Leave without saving' }).click();
      await tab.waitForURL('**/login');
    };
    await tab.goto('/login');
    await logIn(tab, 'admin');
    await open();
    await script.fill('echo of the admin');
    await leave();
    await logIn(tab, 'admin');
    await open();
    expect(await script.inputValue()).toBe('echo of the admin');
    await leave();
    await logIn(tab, 'dana');
    await open();
    expect(await script.inputValue()).toBe('');
    await context.close();
  });
});

describe('without a mouse', { timeout: 90_000 }, () => {
  it('a server is started', async () => {
    await panel.ended((await panel.install()).id);
    await panel.server('by-keyboard');
    await page.goto(`${panel.url}/servers`);
    const start = page.getByRole('button', { name: 'Start by-keyboard' });
    await start.waitFor();
    for (let presses = 0; presses < 80; presses++) {
      if ((await page.evaluate(`document.activeElement.getAttribute('aria-label')`)) === 'Start by-keyboard') break;
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await eventually('it was started', () => panel.host.begun.includes('start by-keyboard'));
    await page.getByRole('button', { name: 'Stop by-keyboard' }).waitFor();
    expect(panel.host.begun.filter((call) => call === 'start by-keyboard')).toHaveLength(1);
  });
});

describe('a list to choose from', { timeout: 90_000 }, () => {
  it('that is opened before its options arrive stays open, and has them then', async () => {
    await panel.admin.post('/api/v1/overlays').send({ name: 'late' }).expect(201);
    let arrive = (): void => undefined;
    const asked = new Promise<void>((resolve) => (arrive = resolve));
    await page.route('**/api/v1/overlays?*', async (route) => {
      await asked;
      await route.continue();
    });
    await page.goto(`${panel.url}/blueprints/new`);
    const picker = page.getByLabel('Add an overlay');
    await picker.click();
    await page.getByText('Loading…', { exact: true }).waitFor();
    arrive();
    await page.getByRole('option', { name: 'late' }).click();
    await page.getByRole('button', { name: /late/ }).first().waitFor();
    await page.unrouteAll({ behavior: 'wait' });
    expect(await picker.inputValue()).toBe('');
  });
});

describe('a secret in a file of a blueprint', { timeout: 90_000 }, () => {
  it('is set, put into the file from the list of variables, and masked in the preview before anything is saved', async () => {
    await page.goto(`${panel.url}/secrets`);
    await page.getByRole('button', { name: 'New secret' }).first().click();
    await page.getByRole('textbox', { name: 'Name' }).fill('WEBHOOK');
    await page.getByRole('textbox', { name: 'Value' }).fill('hunter2hunter2');
    await page.keyboard.press('Enter');
    await page.getByRole('cell', { name: 'WEBHOOK', exact: true }).waitFor();
    expect(await page.content()).not.toContain('hunter2');

    await page.goto(`${panel.url}/blueprints/new`);
    await page.getByLabel('Name', { exact: true }).fill('secretive');
    await page.getByRole('button', { name: 'Add file' }).click();
    await page.keyboard.type('left4dead2/cfg/server.cfg');
    await page.getByLabel('Content of file 1').fill('url ');
    const file = page.getByRole('list', { name: 'Files' });
    await file.getByRole('button', { name: /^secret\.WEBHOOK/ }).click();
    await page.getByRole('button', { name: 'Show preview' }).click();
    await page.getByText(/^No preview: .*written from config/i).waitFor();
    const path = page.getByLabel('Path of file 1');
    expect(await path.getAttribute('aria-invalid')).toBe('true');

    await path.fill('left4dead2/cfg/hook.cfg');
    await page.getByText('written from config').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Show preview' }).click();
    await page.getByText('left4dead2/cfg/hook.cfg', { exact: true }).click();
    expect(await page.getByLabel('left4dead2/cfg/hook.cfg', { exact: true }).textContent()).toBe('url ***');

    await page.getByRole('button', { name: 'Create blueprint' }).click();
    await page.waitForURL(/\/blueprints\/\d+$/);
    await page.goto(`${panel.url}/secrets`);
    await page.getByRole('link', { name: 'secretive' }).waitFor();
    await page.getByRole('button', { name: 'Delete WEBHOOK' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).last().click();
    await page.getByText(/WEBHOOK cannot be deleted: blueprints use it \(secretive\)/).waitFor();
  });
});
