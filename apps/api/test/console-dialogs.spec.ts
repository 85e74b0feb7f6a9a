import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from './browser.js';
import { RealPanel } from './real-panel.js';

/** What the console asks and says before it changes something that matters. */
let panel: RealPanel;
let browser: Browser;
let page: Page;
const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
const dialog = () => page.getByRole('dialog');
const inDialog = (name: string) => dialog().getByRole('button', { name, exact: true });

beforeAll(async () => {
  [panel, browser] = await Promise.all([RealPanel.make(), launchBrowser()]);
  const context = await browser.newContext({ baseURL: panel.url, viewport: { width: 1280, height: 900 } });
  const [name = '', value = ''] = panel.cookie.split('=');
  await context.addCookies([{ name, value, url: panel.url }]);
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
}, 60_000);
afterAll(async () => {
  await browser.close();
  await panel.close();
});

/** A server that is stopped and wrote these files. */
async function serverWith(name: string, files: Record<string, string>): Promise<number> {
  const pack = await panel.overlay(`pack of ${name}`, { 'left4dead2/motd.txt': 'of the pack' });
  const { id } = await panel.server(name, await panel.blueprint(name, [pack]));
  expect((await panel.do(name, 'initialize')).state).toBe('succeeded');
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(upper(name), path)), { recursive: true });
    await writeFile(join(upper(name), path), content);
  }
  return id;
}

function upper(server: string): string {
  return join(panel.root, 'instances', server, 'upper');
}

describe('deleting what a server wrote', () => {
  const DELETE_ALL = 'Delete what the server wrote below left4dead2';

  beforeAll(async () => {
    const demos = Array.from({ length: 6 }, (_, i) => [`left4dead2/demo${i}.dem`, 'demo']);
    const id = await serverWith('alpha', {
      'left4dead2/motd.txt': 'by the server',
      'left4dead2/addons/sourcemod/data/ranks.sq3': 'ranks',
      'left4dead2/scratch/notes.txt': 'notes',
      ...Object.fromEntries(demos),
    });
    await page.goto(`/servers/${id}?tab=files`);
  });

  it('of a folder that layers have as well, it says what goes and what stays, and wants its name where that is precious', async () => {
    const row = page.getByRole('row', { name: /^left4dead2/ });
    await row.getByText('and layers below').waitFor();
    await button(DELETE_ALL).click();
    await dialog().getByText('9 files, 47 B').waitFor();
    await dialog().getByText('Among it are 7 files such as servers keep through every update').waitFor();
    expect(await dialog().getByRole('listitem').allInnerTexts()).toEqual([
      'addons/sourcemod/data/ranks.sq3',
      ...Array.from({ length: 4 }, (_, i) => `demo${i}.dem`),
      'and 2 more',
    ]);
    await dialog().getByText('What overlays and the game have in it stays').waitFor();
    expect(await inDialog('Delete').isDisabled()).toBe(true);
    await dialog().getByLabel('Type “left4dead2” to confirm').fill('left4dead');
    await page.keyboard.press('Enter');
    expect(await inDialog('Delete').isDisabled()).toBe(true);
    await page.keyboard.press('Escape');
    await dialog().waitFor({ state: 'hidden' });
    expect(await readdir(join(upper('alpha'), 'left4dead2'))).toHaveLength(9);
  });

  it('asks no more than that of a folder in which nothing is precious', async () => {
    await button('left4dead2').click();
    await button('Delete scratch').click();
    await dialog().getByText('1 file, 5 B').waitFor();
    await inDialog('Delete').click();
    await dialog().waitFor({ state: 'hidden' });
    await button('Delete scratch').waitFor({ state: 'detached' });
    expect(await readdir(join(upper('alpha'), 'left4dead2'))).toHaveLength(8);
    await button('Delete motd.txt').click();
    await dialog().getByText('What overlay pack of alpha and the game have under this name is seen again.').waitFor();
    await inDialog('Keep it').click();
  });

  it('is for the careful when it cannot be told what all of it is', async () => {
    const odd = join(upper('alpha'), 'left4dead2/odd');
    await mkdir(odd);
    // A name that is not UTF-8.
    await writeFile(Buffer.concat([Buffer.from(`${odd}/`), Buffer.of(0x6b, 0xe4)]), '');
    await button('Look again').click();
    await button('Delete odd').click();
    await dialog().getByText('Not all of it could be counted.').waitFor();
    expect(await inDialog('Delete').isDisabled()).toBe(true);
    await inDialog('Keep it').click();

    const refused = { status: 409, contentType: 'application/problem+json', body: '{"status":409,"title":"Away"}' };
    await page.route('**/files/summary?path=*odd', (route) => route.fulfill(refused));
    await button('Delete odd').click();
    await dialog().getByText('What it is could not be counted').waitFor();
    expect(await inDialog('Delete').isDisabled()).toBe(true);
    await inDialog('Keep it').click();
  });

  it('is done when the name was typed, unless the server has been started meanwhile', async () => {
    await page.getByRole('navigation', { name: 'Folder' }).getByRole('button', { name: 'alpha' }).click();
    await button(DELETE_ALL).click();
    await dialog().getByLabel('Type “left4dead2” to confirm').fill('left4dead2');
    expect((await panel.do('alpha', 'start')).state).toBe('succeeded');
    await inDialog('Delete').click();
    await dialog().getByText('its files can be deleted when it is stopped.').waitFor();
    await panel.do('alpha', 'stop');
    await inDialog('Delete').click();
    await dialog().waitFor({ state: 'hidden' });
    await button(DELETE_ALL).waitFor({ state: 'detached' });
    await button('left4dead2').click();
    await page.getByRole('row', { name: /^motd\.txt overlay pack of alpha/ }).waitFor();
    expect(await readdir(upper('alpha'))).not.toContain('left4dead2');
  });
});
