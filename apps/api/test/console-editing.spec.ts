import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { launchBrowser } from './browser.js';
import { freePort } from './free-port.js';
import { PASSWORD, RealPanel } from './real-panel.js';

/** What a page or the panel may take, also on a busy machine (ms). */
const PATIENCE = 30_000;

/** Texts that are edited in the console: that nothing typed is passed over, and that the keyboard goes where one works. */
let panel: RealPanel;
let browser: Browser;
let page: Page;
const button = (name: string) => page.getByRole('button', { name, exact: true });
const dialog = () => page.getByRole('dialog');
const inDialog = (name: string) => dialog().getByRole('button', { name, exact: true });
const text = (path: string) => page.getByLabel(`Text of ${path}`);

beforeAll(async () => {
  [panel, browser] = await Promise.all([RealPanel.make(), launchBrowser()]);
  const context = await browser.newContext({ baseURL: panel.url, viewport: { width: 1280, height: 900 } });
  const [name = '', value = ''] = panel.cookie.split('=');
  await context.addCookies([{ name, value, url: panel.url }]);
  page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
});
afterAll(async () => {
  await browser.close();
  await panel.close();
});

async function jobsOf(overlay: number): Promise<unknown[]> {
  return (await panel.admin.get(`/api/v1/jobs?overlayId=${overlay}`).expect(200)).body.items;
}

describe('a build while something typed is not saved', { timeout: 90_000 }, () => {
  it('takes a file’s text along, once it was asked', async () => {
    const id = await panel.overlay('rules', { 'cfg/a.cfg': 'old' });
    await page.goto(`/overlays/${id}?path=cfg`);
    await button('a.cfg').click();
    await text('cfg/a.cfg').fill('new');
    await button('Build').click();
    await dialog().getByText('Save and build?').waitFor();
    await inDialog('Go on editing').click();
    expect(await jobsOf(id)).toHaveLength(1);
    await button('Build').click();
    await inDialog('Save and build').click();
    await page.getByText('Revision 2 is published').first().waitFor();
    const { body: built } = await panel.admin.get(`/api/v1/overlays/${id}/files/content?path=cfg/a.cfg&revision=2`);
    expect(String(built)).toBe('new');
  });

  it('is not queued when the file cannot be saved', async () => {
    const id = await panel.overlay('shared', { 'a.cfg': 'old' });
    await page.goto(`/overlays/${id}`);
    await button('a.cfg').click();
    await text('a.cfg').fill('mine');
    await panel.edit(id, { 'a.cfg': 'theirs' });
    await button('Build').click();
    await inDialog('Save and build').click();
    await page.getByText('Somebody else changed').waitFor();
    expect(await jobsOf(id)).toHaveLength(1);
    await button('Load theirs, drop mine').click();
    await expect.poll(() => text('a.cfg').inputValue(), { timeout: PATIENCE }).toBe('theirs');
  });

  it('leads to a script that was left on another tab, and waits until bash can read it', async () => {
    const { body } = await panel.admin.post('/api/v1/overlays').send({ name: 'made', kind: 'script' }).expect(201);
    await page.goto(`/overlays/${body.id}`);
    const script = page.getByLabel('Script', { exact: true }).and(page.locator('textarea'));
    await script.fill('if true\n');
    await page.getByRole('tab', { name: 'Jobs' }).click();
    await page.getByText('No jobs yet').waitFor();
    await button('Build').click();
    await inDialog('Save and build').click();
    await page.getByText('Not saved.').waitFor();
    expect(await jobsOf(body.id)).toEqual([]);
    await script.fill('echo fine\n');
    await button('Build').click();
    await inDialog('Save and build').click();
    await page.getByText('Saved. The next build runs it.', { exact: true }).waitFor();
    await expect.poll(() => jobsOf(body.id), { timeout: PATIENCE }).toHaveLength(1);
    expect((await panel.admin.get(`/api/v1/overlays/${body.id}/script`)).body.script).toBe('echo fine\n');
  });
});

describe('deleting an overlay', { timeout: 90_000 }, () => {
  it('is offered when no blueprint has it, and those that do are named', async () => {
    const id = await panel.draft('used', {});
    const blueprint = await panel.blueprint('versus', [id]);
    await page.goto(`/overlays/${id}`);
    await page.getByRole('link', { name: 'versus', exact: true }).waitFor();
    await button('Delete…').click();
    await dialog().getByText('take it out of versus first').waitFor();
    expect(await inDialog('Delete').count()).toBe(0);
    await inDialog('Keep it').click();
    await panel.admin.delete(`/api/v1/blueprints/${blueprint}`).expect(204);
    await button('Delete…').click();
    await dialog().getByLabel('Type “used” to confirm').fill('used');
    await inDialog('Delete').click();
    await page.getByText('used is deleted.', { exact: true }).waitFor();
  });
});

describe('who may not build', { timeout: 90_000 }, () => {
  it('is told whom to ask, and whom a page is for', async () => {
    const id = await panel.draft('campaign', { 'left4dead2/maps/a.bsp': 'map' });
    const guest = { name: 'zoey', password: PASSWORD };
    await panel.admin
      .post('/api/v1/users')
      .send({ ...guest, role: 'user' })
      .expect(201);
    const context = await browser.newContext({ baseURL: panel.url });
    const zoey = await context.newPage();
    const login = await context.request.post('/api/v1/auth/login', { data: { username: 'zoey', password: PASSWORD } });
    expect(login.status()).toBe(200);
    const plan = { name: 'hers', overlays: [{ overlayId: id }] };
    const made = await context.request.post('/api/v1/blueprints', { data: plan });
    const { id: blueprint } = z.object({ id: z.number() }).parse(await made.json());
    await zoey.goto(`/blueprints/${blueprint}`);
    await zoey.getByText('Not built yet: ask an admin to build it, or a start fails.').waitFor();
    const data = { name: 'hers', blueprintId: blueprint, port: await freePort() };
    expect((await context.request.post('/api/v1/servers', { data })).status()).toBe(201);
    await zoey.goto('/servers');
    await zoey.getByText('An admin has to build campaign first.').waitFor();
    await zoey.goto('/users');
    await zoey.getByText('Only admins see this page').waitFor();
    expect(zoey.url()).toBe(`${panel.url}/users`);
    await context.close();
  });
});

describe('the keyboard', { timeout: 90_000 }, () => {
  const focused = (): Promise<string> =>
    page.evaluate('document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent.trim()');

  it('is in the text of a file that was opened, and with Escape back at its name', async () => {
    const id = await panel.draft('keys', { 'a.cfg': 'one', 'b.cfg': 'two' });
    await page.goto(`/overlays/${id}`);
    await button('b.cfg').focus();
    await page.keyboard.press('Enter');
    await expect.poll(focused, { timeout: PATIENCE }).toBe('Text of b.cfg');
    await page.keyboard.press('Escape');
    await expect.poll(focused, { timeout: PATIENCE }).toBe('b.cfg');

    await page.keyboard.press('Enter');
    await expect.poll(focused, { timeout: PATIENCE }).toBe('Text of b.cfg');
    await page.keyboard.type('more');
    await page.keyboard.press('Escape');
    await page.getByText('Your changes are not saved.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Your changes are not saved.').waitFor({ state: 'hidden' });
    expect(await text('b.cfg').inputValue()).toContain('more');
    await page.keyboard.press('Control+s');
    await page.getByText('Saved in the draft.', { exact: true }).waitFor();
    await button('Close').click();
    await expect.poll(focused, { timeout: PATIENCE }).toBe('b.cfg');
  });

  it('begins a new name where the old one is', async () => {
    const id = await panel.draft('names', { 'left4dead2/cfg/server.cfg': 'one' });
    await page.goto(`/overlays/${id}?path=left4dead2/cfg`);
    await button('Rename or move server.cfg').click();
    // What is typed before the name is chosen goes elsewhere.
    await expect.poll(() => page.evaluate('getSelection().toString()'), { timeout: PATIENCE }).toBe('server');
    await page.keyboard.type('practice');
    await page.keyboard.press('Enter');
    await button('practice.cfg').waitFor();
    expect(await button('server.cfg').count()).toBe(0);
  });

  it('writes into a new file at once', async () => {
    const id = await panel.draft('fresh', { 'a.cfg': 'one' });
    await page.goto(`/overlays/${id}`);
    await button('New file').click();
    await dialog().getByLabel('Name').fill('new.cfg');
    await page.keyboard.press('Enter');
    await expect.poll(focused, { timeout: PATIENCE }).toBe('Text of new.cfg');
  });
});
