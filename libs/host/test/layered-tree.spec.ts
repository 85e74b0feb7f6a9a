import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HostError } from '../src/errors.js';
import { LayeredTree } from '../src/trees/layered-tree.js';
import type { Layer } from '../src/trees/layer.js';
import type { LayeredEntry } from '../src/trees/merged-tree.js';
import { serverLayers } from '../src/trees/server-layers.js';
import { logWith, makeRevision, makeRoot, makeSpec, openTestHost, statusOf, writeTree } from './support/fixture.js';
import { whileSwapped } from './support/swapped-link.js';

const ALL = { limit: 10_000 };

async function everything(tree: LayeredTree, path = ''): Promise<LayeredEntry[]> {
  const found: LayeredEntry[] = [];
  for (const entry of (await tree.list(path, ALL)).items) {
    found.push(entry, ...(entry.type === 'directory' ? await everything(tree, entry.path) : []));
  }
  return found;
}

/** `<type> <path> <bytes>` of everything below a folder as it is on the disk, or in a mount. */
async function onDisk(folder: string, path = ''): Promise<string[]> {
  const found: string[] = [];
  for (const name of await readdir(join(folder, path))) {
    const stats = await lstat(join(folder, path, name));
    const type = stats.isDirectory() ? 'directory' : stats.isSymbolicLink() ? 'link' : 'file';
    found.push(`${type} ${join(path, name)} ${stats.isDirectory() ? 0 : stats.size}`);
    if (stats.isDirectory()) found.push(...(await onDisk(folder, join(path, name))));
  }
  return found.sort();
}

const told = (entries: readonly LayeredEntry[]) =>
  entries.map(({ type, path, size }) => `${type} ${path} ${size}`).sort();

const overlay = (of: string, folder: string): Layer => ({ kind: 'overlay', of, folder });

/** What a server does to its tree: everything that overlayfs keeps a mark of. */
const CHANGES = `
echo changed >>left4dead2/addons/kept.txt
rm left4dead2/addons/removed.txt
rm -r left4dead2/cleared; mkdir left4dead2/cleared; echo mine >left4dead2/cleared/mine.txt
rm -r left4dead2/made-a-file; echo file >left4dead2/made-a-file
rm left4dead2/made-a-folder; mkdir left4dead2/made-a-folder; echo inside >left4dead2/made-a-folder/inside.txt
mkdir -p left4dead2/logs/deep; echo line >left4dead2/logs/deep/l1.log
mv left4dead2/addons/moved.txt left4dead2/addons/moved-away.txt
rm -r left4dead2/gone
ln -s /etc/passwd left4dead2/link.txt; ln -s addons left4dead2/link-to-folder
chmod 600 left4dead2/addons/mode.txt
mkfifo left4dead2/fifo
mkdir "left4dead2/ünï cödé"; echo x >"left4dead2/ünï cödé/ein name.txt"
echo changed
`;

describe('the merged tree of a server', () => {
  it('is what the server sees, while it runs and after it has ended, whatever it did', async () => {
    const { host, run, root } = await openTestHost();
    const low = await makeRevision(root, '1/1', {
      'left4dead2/addons/kept.txt': 'low',
      'left4dead2/addons/removed.txt': 'low',
      'left4dead2/addons/moved.txt': 'low',
      'left4dead2/addons/mode.txt': 'low',
      'left4dead2/cleared/low.txt': 'low',
      'left4dead2/made-a-file/low.txt': 'low',
      'left4dead2/made-a-folder': 'a file',
      'left4dead2/gone/low.txt': 'low',
      'left4dead2/under-file/low.txt': 'low',
      'left4dead2/hidden/low.txt': 'low',
      'left4dead2/logs/low.log': 'low',
    });
    const high = await makeRevision(root, '2/1', {
      'left4dead2/addons/kept.txt': 'high',
      'left4dead2/under-file': 'a file hides the folder below',
      'left4dead2/stock.txt/over-file.txt': 'a folder hides the file below',
      'left4dead2/logs/high.log': 'high',
      'probe.sh': CHANGES,
    });
    const files = [{ path: 'left4dead2/cfg/server.cfg', content: 'hostname one\n' }];
    const hide = ['left4dead2/hidden'];
    await host.initialize('one', makeSpec({ overlays: [high, low], files, hide }), run);
    await host.start('one', run);
    const inside = join(`/proc/${(await statusOf(host, 'one')).pid}/root/game`);
    await logWith(host, 'one', 'changed');

    const { own, shipped, hide: hidden } = await serverLayers(root, 'one');
    const tree = new LayeredTree([own, ...shipped], hidden);
    const seen = (await onDisk(inside)).filter((line) => !line.includes('fifo'));
    const entries = await everything(tree);
    expect(told(entries)).toEqual(seen);
    for (const { path } of entries.filter(({ type }) => type === 'file')) {
      const { file } = await tree.open(path);
      try {
        expect([path, await file.readFile('utf8')]).toEqual([path, await readFile(join(inside, path), 'utf8')]);
      } finally {
        await file.close();
      }
    }
    await host.stop('one', run);
    expect(told(await everything(tree))).toEqual(seen);

    const about = (path: string) => {
      const entry = entries.find((candidate) => candidate.path === path);
      return entry && [entry.layer, entry.hides];
    };
    const [game, lowest, highest, generated] = [
      { kind: 'game', of: 'test-1' },
      { kind: 'overlay', of: '1/1' },
      { kind: 'overlay', of: '2/1' },
      { kind: 'generated', of: null },
    ];
    const ours = { kind: 'own', of: null };
    expect(about('left4dead2/addons/kept.txt')).toEqual([ours, [highest, lowest]]);
    expect(about('left4dead2/under-file')).toEqual([highest, [lowest]]);
    expect(about('left4dead2/stock.txt')).toEqual([highest, [game]]);
    expect(about('left4dead2/cfg/server.cfg')).toEqual([generated, []]);
    expect(about('left4dead2/cleared')).toEqual([ours, [lowest]]);
    expect(about('left4dead2/logs')).toEqual([ours, []]);
    expect(about('left4dead2/logs/low.log')).toEqual([lowest, []]);
    const merged = entries.filter((entry) => entry.merged).map(({ path }) => path);
    expect(merged.sort()).toEqual(['left4dead2', 'left4dead2/addons', 'left4dead2/logs']);
    expect(about('left4dead2/addons/moved-away.txt')).toEqual([ours, []]);
    expect(await tree.entry('left4dead2/link.txt')).toMatchObject({ type: 'link', target: '/etc/passwd' });
    for (const path of ['left4dead2/link.txt', 'left4dead2/link-to-folder', 'left4dead2/fifo']) {
      await expect(tree.open(path)).rejects.toMatchObject({ code: 'path-refused' });
    }
    await expect(tree.open('left4dead2/link-to-folder/kept.txt')).rejects.toMatchObject({ code: 'path-refused' });
    await expect(tree.list('left4dead2/link-to-folder', ALL)).rejects.toMatchObject({ code: 'path-refused' });
    for (const path of ['left4dead2/gone/low.txt', 'left4dead2/hidden/low.txt', 'left4dead2/cleared/low.txt']) {
      await expect(tree.open(path)).rejects.toMatchObject({ code: 'not-found' });
      expect(await tree.entry(path)).toBeNull();
    }
  });
});

describe('a page of a folder', () => {
  it('holds folders first, and goes on after its last entry even when that is gone', async () => {
    const root = await makeRoot();
    const names = Array.from({ length: 25 }, (_, i) => `f${String(i).padStart(2, '0')}`);
    await writeTree(root, Object.fromEntries(names.map((name) => [name, ''])));
    await mkdir(join(root, 'z-folder'));
    const tree = new LayeredTree([overlay('1/1', root)]);
    const first = await tree.list('', { limit: 10 });
    expect(first.items.map(({ name }) => name)).toEqual(['z-folder', ...names.slice(0, 9)]);
    await rm(join(root, 'f08'));
    const second = await tree.list('', { limit: 10, cursor: first.nextCursor ?? undefined });
    expect(second.items.map(({ name }) => name)).toEqual(names.slice(9, 19));
    const third = await tree.list('', { limit: 10, cursor: second.nextCursor ?? undefined });
    expect([third.items.length, third.nextCursor]).toEqual([6, null]);
    await expect(tree.list('', { limit: 10, cursor: 'x' })).rejects.toMatchObject({ code: 'bad-cursor' });
  });

  it('counts names that are not UTF-8 instead of showing them as something else', async () => {
    const root = await makeRoot();
    await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0x6b, 0xe4, 0x73, 0x65)]), 'latin 1');
    await writeFile(join(root, 'käse'), 'utf-8');
    const { items, unreadableNames } = await new LayeredTree([overlay('1/1', root)]).list('', ALL);
    expect([items.map(({ name }) => name), unreadableNames]).toEqual([['käse'], 1]);
  });
});

describe('a nest of folders that a server made', () => {
  const NEST = `for (let i = 0; i < 3000; i++) { fs.mkdirSync('n'.repeat(200)); process.chdir('n'.repeat(200)); }`;

  it('is walked as far as paths go, or until nobody waits any more', async () => {
    const root = await makeRoot();
    const upper = join(root, 'upper');
    await writeTree(upper, { 'beside.txt': '' });
    execFileSync(process.execPath, ['-e', NEST], { cwd: upper });
    const tree = new LayeredTree([{ kind: 'own', of: null, folder: upper }, overlay('1/1', join(root, 'low'))]);
    const walked: string[] = [];
    for await (const entry of tree.walk('')) walked.push('why' in entry ? entry.why : entry.path);
    expect(walked).toHaveLength(12);
    expect(walked).toContain('beside.txt');
    expect(walked.at(-1)).toBe('the path is longer than 2048 bytes');
    const walk = tree.walk('', AbortSignal.abort(new Error('nobody waits')));
    await expect(walk.next()).rejects.toThrow('nobody waits');
  });
});

describe('links that are swapped in while the tree is read', () => {
  it('never lead outside', async () => {
    const root = await makeRoot();
    const [upper, outside, away] = [join(root, 'upper'), join(root, 'outside'), join(root, 'away')];
    await writeTree(upper, { 'a/b/file.txt': 'inside' });
    await writeTree(outside, { 'file.txt': 'SECRET', 'b/file.txt': 'SECRET', 'b/secret-name.txt': 'SECRET' });
    await writeTree(join(root, 'low'), { 'a/b/file.txt': 'inside', 'a/low.txt': 'inside' });
    await mkdir(away);
    const layers: Layer[] = [{ kind: 'own', of: null, folder: upper }, overlay('1/1', join(root, 'low'))];
    const tree = new LayeredTree(layers);
    const outcomes = { read: 0, refused: 0 };
    const read = async () => {
      const { file } = await tree.open('a/b/file.txt');
      const content = await file.readFile('utf8').finally(() => void file.close());
      return [content, ...(await tree.list('a/b', ALL)).items.map(({ name }) => name)].join(' ');
    };
    const codeOf = (error: unknown) => (error instanceof HostError ? error.code : error);
    await whileSwapped({ folder: join(upper, 'a'), target: outside, aside: away }, async (turn) => {
      for (let i = 0; i < 150; i++) {
        await turn(i);
        const outcome = await read().catch(codeOf);
        expect(['inside file.txt', 'path-refused', 'not-found']).toContain(outcome);
        outcomes[outcome === 'inside file.txt' ? 'read' : 'refused']++;
      }
    });
    expect(outcomes.read).toBeGreaterThan(0);
    expect(outcomes.refused).toBeGreaterThan(0);
  });
});

it('a walk reads a large folder as it is asked for more, and ends when nobody is there any more', async () => {
  const root = await makeRoot();
  const folder = join(root, 'links');
  await mkdir(folder, { recursive: true });
  const names = Array.from({ length: 2_500 }, (_, i) => `link-${String(i).padStart(4, '0')}`);
  for (const name of names) await symlink('somewhere', join(folder, name));
  const tree = new LayeredTree([overlay('1/1', root)]);
  const walked: string[] = [];
  for await (const entry of tree.walk('links')) {
    walked.push(entry.path);
    if (walked.length === 1) await rm(join(folder, 'link-2000'));
  }
  expect(walked).toEqual(names.filter((name) => name !== 'link-2000').map((name) => `links/${name}`));
  const gone = new AbortController();
  const ended = (async () => {
    for await (const _ of tree.walk('links', gone.signal)) gone.abort(new Error('the client has gone'));
  })();
  await expect(ended).rejects.toThrow('the client has gone');
});
