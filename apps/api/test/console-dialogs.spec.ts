import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StandInWorkshop } from '../../../libs/host/test/support/stand-in-workshop.js';
import { launchBrowser } from './browser.js';
import { eventually } from './eventually.js';
import { RealPanel } from './real-panel.js';

/** What the console asks and says before it changes something that matters. */
let steam: StandInWorkshop;
let panel: RealPanel;
let browser: Browser;
let page: Page;
const button = (name: string | RegExp) => page.getByRole('button', { name, exact: true });
const dialog = () => page.getByRole('dialog');
const inDialog = (name: string) => dialog().getByRole('button', { name, exact: true });

beforeAll(async () => {
  steam = await StandInWorkshop.start();
  [panel, browser] = await Promise.all([RealPanel.make({ LEFT4ME_WORKSHOP_URL: steam.url }), launchBrowser()]);
  const context = await browser.newContext({ baseURL: panel.url, viewport: { width: 1280, height: 900 } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: panel.url });
  const [name = '', value = ''] = panel.cookie.split('=');
  await context.addCookies([{ name, value, url: panel.url }]);
  page = await context.newPage();
  page.setDefaultTimeout(30_000);
});
afterAll(async () => {
  await browser.close();
  await panel.close();
  await steam.stop();
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

describe('deleting what a server wrote', { timeout: 90_000 }, () => {
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
    await row.getByText('several layers').waitFor();
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
    await page.unrouteAll({ behavior: 'wait' });
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

describe('the revisions of an overlay', { timeout: 90_000 }, () => {
  it('are compared with each other and with the draft, and an earlier one is made current again', async () => {
    const overlay = await panel.overlay('rules', { 'cfg/stays.cfg': 'same', 'cfg/a.cfg': 'one', 'cfg/gone.cfg': '' });
    await panel.server('gamma', await panel.blueprint('rules', [overlay]));
    await panel.do('gamma', 'initialize');
    await panel.edit(overlay, { 'cfg/a.cfg': 'eleven', 'cfg/b.cfg': 'new' });
    await panel.admin.delete(`/api/v1/overlays/${overlay}/files/content?path=cfg/gone.cfg`).expect(204);
    await panel.build(overlay);
    await panel.edit(overlay, { 'cfg/c.cfg': 'not built yet' });

    await page.goto(`/overlays/${overlay}?tab=revisions`);
    const row = (number: number) => page.getByRole('row', { name: new RegExp(`^${number} `) });
    await row(2).getByText('Current').waitFor();
    await row(1).getByText('gamma').waitFor();
    await row(2).getByRole('button', { name: 'Compare' }).click();
    const differences = dialog().getByRole('list', { name: 'Differences' }).getByRole('listitem');
    await differences.first().waitFor();
    expect((await differences.allInnerTexts()).map((text) => text.split(/\s*\n/).join(' '))).toEqual([
      'changed: cfg/a.cfg 3 B → 6 B',
      'added: cfg/b.cfg 3 B',
      'removed: cfg/gone.cfg 0 B',
    ]);
    await dialog().getByLabel('From').selectOption('Revision 2');
    await dialog().getByText('No differences').waitFor();
    await dialog().getByLabel('To').selectOption('Draft');
    await differences.getByText('cfg/c.cfg').waitFor();
    expect(await differences.count()).toBe(1);
    await page.keyboard.press('Escape');

    await row(1).getByRole('button', { name: 'Make current…' }).click();
    await dialog().getByText('No server has another one now.').waitFor();
    await dialog().getByText('The draft stays as it is: the next build publishes that.').waitFor();
    await inDialog('Make current').click();
    await page.getByText('Revision 1 is current.', { exact: true }).waitFor();
    await row(1).getByText('Current').waitFor();
    await page.getByText('Gone back to revision 1').waitFor();
    await page.getByText('An earlier revision is current. The draft still holds the later edits').waitFor();
    await row(2).getByRole('button', { name: 'Make current…' }).click();
    await dialog().getByText('The next start of these servers changes: gamma.').waitFor();
    await inDialog('Keep it').click();
    const { body } = await panel.admin.get(`/api/v1/overlays/${overlay}`).expect(200);
    expect(body.currentRevision.number).toBe(1);
  });
});

describe('Workshop items', { timeout: 90_000 }, () => {
  it('are added as a pasted list, with addresses, ids and repetitions; a wrong one keeps the text', async () => {
    steam.item('101', undefined, { title: 'Dead Before Dawn' });
    steam.item('102', undefined, { title: 'Blood Tracks' });
    steam.collection('103', ['101'], { title: 'Fridays' });
    const { body } = await panel.admin.post('/api/v1/overlays').send({ name: 'Maps', kind: 'workshop' }).expect(201);
    await page.goto(`/overlays/${body.id}`);
    const field = page.getByLabel('Add items and collections');
    const paste = async (text: string): Promise<void> => {
      await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
      await field.focus();
      await page.keyboard.press('Control+v');
    };
    await paste('101\nhttps://example.com/?id=102');
    await button('Add 2').click();
    await page.getByText(/is neither the id of an item/).waitFor();
    expect(await field.inputValue()).toContain('example.com');
    await field.fill('');
    await paste('https://steamcommunity.com/sharedfiles/filedetails/?id=101\n102, 103;\r\n\r\n 101');
    await button('Add 4').click();
    const items = page.getByRole('list', { name: 'Items' });
    for (const title of ['Dead Before Dawn', 'Blood Tracks', 'Fridays']) await items.getByText(title).first().waitFor();
    // The list may hear of them before the answer is there.
    await eventually('the field is empty', async () => (await field.inputValue()) === '');
    const listed = (await panel.admin.get(`/api/v1/overlays/${body.id}/workshop-items`).expect(200)).body.items;
    const ids = listed.filter((item: { listed: boolean }) => item.listed).map(idOf);
    expect(ids.sort()).toEqual(['101', '102', '103']);
  });
});

function idOf(item: { publishedFileId: string }): string {
  return item.publishedFileId;
}

describe('a script that bash refuses', { timeout: 90_000 }, () => {
  it('is not saved, and the line is marked and led to', async () => {
    const { body } = await panel.admin.post('/api/v1/overlays').send({ name: 'made', kind: 'script' }).expect(201);
    await page.goto(`/overlays/${body.id}`);
    const script = page.getByRole('textbox', { name: 'Script' });
    await script.fill(['set -e', ...Array.from({ length: 60 }, (_, i) => `echo ${i}`), 'fi', ''].join('\n'));
    await page.keyboard.press('Control+s');
    await page.getByText('Not saved.').waitFor();
    expect(await page.locator('mark').allInnerTexts()).toEqual(['62']);
    await button('Line 62:').first().click();
    expect(await page.evaluate('getSelection().toString()')).toBe('fi');
    await page.keyboard.type('echo over');
    await page.keyboard.press('Control+s');
    await page.getByText('Saved. The next build runs it.', { exact: true }).waitFor();
    const saved = await panel.admin.get(`/api/v1/overlays/${body.id}/script`).expect(200);
    expect(saved.body.script).toMatch(/echo 59\necho over\n$/);
  });
});

describe('the trash', { timeout: 90_000 }, () => {
  it('gives back what a server wrote, into another server if that is wanted', async () => {
    const old = await serverWith('old', { 'left4dead2/ranks.sq3': 'years of it' });
    await serverWith('young', {});
    await page.goto(`/servers/${old}?tab=files`);
    await page.getByText('11 B in 1 file written by the server').waitFor();
    expect((await panel.do('old', 'delete')).state).toBe('succeeded');
    await page.getByText('No files here').waitFor();
    await page.getByText('written by the server').waitFor({ state: 'detached' });
    let arrive = (): void => undefined;
    const asked = new Promise<void>((resolve) => (arrive = resolve));
    await page.route(/\/api\/v1\/servers\?/, (route) => asked.then(() => route.continue()));
    await page.goto('/trash');
    await button('Restore what old wrote').click();
    await dialog().waitFor();
    arrive();
    await page.unrouteAll({ behavior: 'wait' });
    const into = dialog().getByLabel('Into the server');
    await eventually('its own server is proposed', async () => (await into.inputValue()) === 'old');
    await into.fill('young');
    await page.getByRole('option', { name: 'young' }).click();
    await inDialog('Restore').click();
    await page.getByText('The trash is empty').waitFor();
    expect(await readdir(join(upper('young'), 'left4dead2'))).toEqual(['ranks.sq3']);
  });
});
