import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { zipOf } from '../../../libs/host/test/support/archives.js';
import { launchBrowser } from './browser.js';
import { Instance } from './instance.js';
import { PASSWORD, RealPanel } from './real-panel.js';

// They take a dozen seconds each, beside others on two cores.
vi.setConfig({ testTimeout: 90_000 });

const FILES = 3_000;
const PLACE = 'left4dead2/addons/odd';
const LONG = Array.from({ length: 9 }, (_, level) => `${'sehr lang ü '.repeat(15)}${level}`).join('/');
const NAMES = [
  'with spaces  and more ',
  ' begins with one',
  '.hidden',
  '-rf',
  'Case',
  'case',
  'CASE',
  'ümläut',
  'u\u0308mla\u0308ut', // the same to the eye, in other letters
  '日本語/地図',
  'emoji 🧟/🔫',
  'it\'s "quoted"',
  'back\\slash',
  '$(touch evil) `x` %s {a,b} * ? [z]',
  'a:b,c;d&e|f#g',
  '..dots..',
  `${'n'.repeat(250)}.txt`,
  `${LONG}/deep`,
];

let panel: RealPanel;
let folder: string;

beforeAll(async () => {
  panel = await RealPanel.make();
  folder = await mkdtemp(join(tmpdir(), 'left4me-odd-'));
});
afterAll(async () => {
  await panel.close();
  await rm(folder, { recursive: true });
});

/** A pack as players make them, only with every name that is allowed and unusual. */
async function makePack(source: string): Promise<void> {
  for (let n = 0; n < FILES; n++) {
    const path = join(source, `part ${n % 60}`, `${NAMES[n % NAMES.length]}`, `${n} – ${n % 3 === 0 ? 'Ä' : 'a'}`);
    await mkdir(dirname(path), { recursive: true });
    // Some empty, some of more than a block.
    await writeFile(
      path,
      createHash('sha512')
        .update(path)
        .digest('hex')
        .repeat(n % 11),
    );
  }
}

/** The checksum of every file, by its path. */
async function checksums(root: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(root, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(
      relative(root, path),
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  }
  return found;
}

async function logIn(page: Page): Promise<void> {
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.keyboard.press('Enter');
}

/** A browser that shows an overlay to the admin. */
async function pageOf(overlay: number): Promise<Page> {
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(`${panel.url}/login`);
  await logIn(page);
  await page.waitForURL('**/servers');
  await page.goto(`${panel.url}/overlays/${overlay}`);
  return page;
}

it('in the console an archive is unpacked where it belongs, its folder moved, and its text edited by two people', async () => {
  const overlay = await panel.draft('by hand', { 'addons/plugin.cfg': 'one\n', 'left4dead2/addons/there.cfg': 'x' });
  const page = await pageOf(overlay);

  await page.getByRole('button', { name: 'Move to left4dead2/addons' }).click();
  await page.getByRole('button', { name: 'left4dead2', exact: true }).click();
  const archive = (name: string, path: string) => ({
    name,
    mimeType: 'application/zip',
    buffer: zipOf([{ name: path, content: name }]),
  });
  // Two that would replace the folder would take each other away.
  const replacing = page.getByLabel('goes: the folder holds the archive and nothing else');
  await page.getByLabel('Files to upload').setInputFiles([archive('one.zip', 'a/b.txt'), archive('two.zip', 'c.txt')]);
  await page.getByText('To replace the folder, unpack one archive').waitFor();
  expect(await replacing.count()).toBe(0);
  await page.getByRole('button', { name: 'Unpack' }).click();
  await page.getByRole('button', { name: 'a', exact: true }).waitFor();
  await page.getByRole('button', { name: 'c.txt', exact: true }).waitFor();

  await page.getByRole('button', { name: 'addons', exact: true }).click();
  await page.getByRole('button', { name: 'plugin.cfg', exact: true }).click();
  const editor = page.getByRole('region', { name: /^File / });
  const text = page.getByLabel('Text of left4dead2/addons/plugin.cfg');
  await text.fill('mine');
  await panel.edit(overlay, { 'left4dead2/addons/plugin.cfg': 'theirs' });
  await page.keyboard.press('Control+s');
  await page.getByText('Somebody else changed or removed this file').waitFor();
  await page.getByRole('button', { name: 'Overwrite with mine' }).click();
  await page.getByText('Saved in the draft.', { exact: true }).waitFor();
  await editor.getByRole('button', { name: 'Close', exact: true }).click();

  // A file that is not there yet, which somebody else makes meanwhile.
  await page.getByRole('button', { name: 'New file' }).click();
  await page.getByLabel('Name', { exact: true }).fill('plugin.cfg');
  await page.getByText('There is a plugin.cfg in this folder already.').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('made/new.cfg');
  await page.getByRole('button', { name: 'Write it' }).click();
  await page.getByLabel('Text of left4dead2/addons/made/new.cfg').fill('made here');
  await panel.edit(overlay, { 'left4dead2/addons/made/new.cfg': 'theirs' });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('There is a file of this path already.').waitFor();
  await page.getByRole('button', { name: 'Overwrite with mine' }).click();
  await page.getByText('Saved in the draft.', { exact: true }).waitFor();
  await editor.getByRole('button', { name: 'Close', exact: true }).click();

  // More than a piece; the line breaks at the second one.
  let pieces = 0;
  await page.route(/\/uploads\/\d+\?offset=/, (route) => ((pieces += 1) === 2 ? route.abort() : route.continue()));
  const map = Buffer.alloc(9 * 1024 ** 2, 'map');
  await page.getByLabel('Files to upload').setInputFiles({ name: 'map.bsp', mimeType: 'x/x', buffer: map });
  await page.getByText('map.bsp', { exact: true }).waitFor();
  expect(pieces).toBe(3);

  const draft = join(panel.root, 'drafts', String(overlay), 'left4dead2');
  expect((await readFile(join(draft, 'addons/map.bsp'))).equals(map)).toBe(true);
  expect(await readFile(join(draft, 'addons/plugin.cfg'), 'utf8')).toBe('mine');
  expect(await readFile(join(draft, 'addons/there.cfg'), 'utf8')).toBe('x');
  expect(await readFile(join(draft, 'addons/made/new.cfg'), 'utf8')).toBe('made here');
  expect(await readFile(join(draft, 'a/b.txt'), 'utf8')).toBe('one.zip');
  expect(await readFile(join(draft, 'c.txt'), 'utf8')).toBe('two.zip');
});

it('in the console an upload goes on behind other pages, is not closed by mistake, and is gone on with after that', async () => {
  const overlay = await panel.draft('behind', { 'left4dead2/a.txt': 'a' });
  const draft = join(panel.root, 'drafts', String(overlay));
  const page = await pageOf(overlay);
  const file = join(folder, 'map.bsp');
  const map = Buffer.alloc(20 * 1024 ** 2, 'map');
  await writeFile(file, map);
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  // The second piece waits.
  let pieces = 0;
  await page.route(/\/uploads\/\d+\?offset=/, async (route) => {
    if ((pieces += 1) === 2) await opened;
    await route.continue();
  });
  await page.getByLabel('Files to upload').setInputFiles(file);
  await expect.poll(() => pieces, { timeout: 30_000 }).toBe(2);
  await page.getByRole('tab', { name: 'Revisions' }).click();
  await page.getByText('0 of 1 file uploaded').waitFor();
  await page.getByRole('link', { name: 'Servers' }).first().click();
  await page.getByRole('heading', { name: 'Servers', level: 1 }).waitFor();
  open();
  await expect.poll(async () => (await readdir(draft)).includes('map.bsp'), { timeout: 30_000 }).toBe(true);
  expect((await readFile(join(draft, 'map.bsp'))).equals(map)).toBe(true);
  await page.goBack();
  await page.getByText('1 file uploaded', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Close', exact: true }).click();

  // The page is closed in the middle, after a question.
  pieces = 0;
  await page.unroute(/\/uploads\/\d+\?offset=/);
  await page.route(/\/uploads\/\d+\?offset=/, (route) => (pieces += 1) === 2 || route.continue());
  await page.getByRole('tab', { name: 'Files' }).click();
  await page.getByRole('button', { name: 'left4dead2', exact: true }).click();
  await page.getByLabel('Files to upload').setInputFiles(file);
  await expect.poll(() => pieces, { timeout: 30_000 }).toBe(2);
  const scripted = { path: 'by-script.txt', size: 5 };
  await panel.admin.post(`/api/v1/overlays/${overlay}/uploads`).send(scripted).expect(201);
  const asked = page.waitForEvent('dialog');
  await Promise.all([page.reload().catch(() => undefined), asked.then((dialog) => dialog.accept())]);
  expect((await asked).type()).toBe('beforeunload');

  const left = page.getByRole('list', { name: 'Unfinished uploads' });
  await left.getByText('left4dead2/map.bsp').waitFor();
  await left.getByText('8.4 MB of 21 MB').waitFor();
  // A script's: it cannot be gone on with here.
  await left.getByText('by-script.txt').waitFor();
  await left.getByRole('button', { name: 'Give up by-script.txt' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Give up', exact: true }).click();
  await left.getByText('by-script.txt').waitFor({ state: 'detached' });
  await page.unroute(/\/uploads\/\d+\?offset=/);
  const other = join(folder, 'other.bsp');
  await writeFile(other, map);
  await left.getByRole('button', { name: 'Go on…' }).click();
  await page.getByLabel('File to go on with').setInputFiles(other);
  // The whole sentence: a part of it is found in what screen readers are told, too.
  await page
    .getByText('other.bsp is not the file that was being uploaded, or was changed since.', { exact: true })
    .waitFor();
  const offsets: string[] = [];
  page.on('request', (request) => offsets.push(...(/offset=(\d+)/.exec(request.url())?.slice(1) ?? [])));
  await page.getByLabel('File to go on with').setInputFiles(file);
  await page.getByText('1 file uploaded', { exact: true }).waitFor();
  expect(offsets).toEqual([String(8 * 1024 ** 2), String(16 * 1024 ** 2)]);
  expect(await left.count()).toBe(0);

  // Whoever logs in after a session that ended by itself sees nothing of them.
  await page.context().clearCookies();
  await page.getByRole('link', { name: 'Servers' }).first().click();
  await logIn(page);
  await page.waitForURL('**/servers');
  await page.getByRole('link', { name: 'Overlays' }).first().click();
  await page.getByRole('link', { name: 'behind' }).first().click();
  await page.getByRole('button', { name: 'left4dead2', exact: true }).waitFor();
  expect(await page.getByRole('region', { name: 'Uploads' }).count()).toBe(0);
  expect((await readFile(join(draft, 'left4dead2/map.bsp'))).equals(map)).toBe(true);
});

it('a pack of thousands of files with odd names goes through upload, revision and server intact', async () => {
  const source = join(folder, 'source');
  await makePack(source);
  const packed = await checksums(source);
  expect(packed.size).toBe(FILES);
  await promisify(execFile)('tar', ['--create', '--gzip', '--file', join(folder, 'pack'), '--directory', source, '.']);

  const overlay = await panel.draft('odd names', {});
  const uploaded = await panel.admin
    .put(`/api/v1/overlays/${overlay}/archive?target=${encodeURIComponent(PLACE)}&mode=replace`)
    .set('Content-Type', 'application/octet-stream')
    .send(await readFile(join(folder, 'pack')))
    .expect(200);
  expect(uploaded.body).toMatchObject({ files: FILES, leftOut: { count: 0 } });

  const built = await panel.build(overlay);
  expect(built.error).toBeNull();
  expect(await checksums(join(panel.root, 'overlays', String(overlay), '1', PLACE))).toEqual(packed);

  const { port } = await panel.server('odd', await panel.blueprint('odd', [overlay]));
  await panel.startServer('odd');
  const instance = new Instance(panel.root, 'odd', port);
  expect(await checksums(await instance.inside(PLACE))).toEqual(packed);
  await panel.do('odd', 'stop');
});
