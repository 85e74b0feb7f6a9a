import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DirHandle } from './dir-handle.js';
import type { TreeWarning } from './file-tree.js';
import { inspectTree } from './inspect-tree.js';

let root: string;
beforeEach(async () => (root = await mkdtemp(join(tmpdir(), 'left4me-inspect-'))));
afterEach(() => rm(root, { recursive: true }));

/** Version 1, with a tree of nothing. */
const VPK = Buffer.from('3412aa55010000000100000000', 'hex');

async function warningsOf(files: Record<string, string | Buffer>): Promise<TreeWarning[]> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  const found: TreeWarning[] = [];
  for await (const warning of inspectTree(await DirHandle.open(root))) found.push(warning);
  return found;
}

test('a tree as the game wants it has no warnings', async () => {
  const files = {
    'left4dead2/addons/a.vpk': VPK,
    'left4dead2/cfg/server.cfg': 'hostname "x" // plain\n',
    'bin/x.so': '',
  };
  expect(await warningsOf(files)).toEqual([]);
});

test('folders of the game that lie at the top belong below left4dead2', async () => {
  expect(await warningsOf({ 'addons/a.txt': '', 'cfg/b.txt': '', 'other/c': '' })).toEqual([
    { kind: 'misplaced', path: 'addons', belongsTo: 'left4dead2/addons' },
    { kind: 'misplaced', path: 'cfg', belongsTo: 'left4dead2/cfg' },
  ]);
});

test.each([
  ['left4dead2', 'left4dead2'],
  ['addons', 'left4dead2/addons'],
])('so does %s inside of one folder around everything', async (name, belongsTo) => {
  expect(await warningsOf({ [`pack-1.0/${name}/a.txt`]: '', 'README.md': '' })).toEqual([
    { kind: 'misplaced', path: `pack-1.0/${name}`, belongsTo },
  ]);
});

test('a VPK that the game cannot read is named, and one with more dots than one; parts of a _dir.vpk are not VPKs', async () => {
  const files = {
    'left4dead2/addons/broken.vpk': 'nonsense',
    'left4dead2/addons/v1.2.vpk': VPK,
    'left4dead2/pak01_dir.vpk': VPK,
    'left4dead2/pak01_000.vpk': 'contents',
    'left4dead2/alone_000.vpk': 'contents',
  };
  const found = await warningsOf(files);
  expect(found.map(({ kind, path }) => `${kind} ${path}`).sort()).toEqual([
    'broken-vpk left4dead2/addons/broken.vpk',
    'broken-vpk left4dead2/alone_000.vpk',
    'vpk-name left4dead2/addons/v1.2.vpk',
  ]);
});

test('a cfg file beyond ASCII is named with its first such line', async () => {
  const found = await warningsOf({ 'left4dead2/cfg/server.cfg': 'a\nb\nhostname "Zürich"\n', 'left4dead2/x.txt': 'ü' });
  expect(found).toEqual([{ kind: 'non-ascii-cfg', path: 'left4dead2/cfg/server.cfg', line: 3 }]);
});

test('looking ends in the middle of a VPK when nobody needs it any more', async () => {
  const entries = Buffer.alloc(4 * 1024 ** 2, Buffer.from(`${'n'.repeat(13)}\0${'\0'.repeat(16)}\xff\xff`, 'latin1'));
  const tree = Buffer.concat([Buffer.from('txt\0folder\0'), entries, Buffer.alloc(3)]);
  const header = Buffer.from(VPK.subarray(0, 12));
  header.writeUInt32LE(tree.length, 8);
  await mkdir(join(root, 'left4dead2/addons'), { recursive: true });
  await writeFile(join(root, 'left4dead2/addons/many.vpk'), Buffer.concat([header, tree]));
  const looking = async (signal: AbortSignal): Promise<void> => {
    for await (const warning of inspectTree(await DirHandle.open(root), signal)) expect(warning).toBeUndefined();
  };
  // Three looks for the folders and the name of the file, then one for each piece that is read.
  let looks = 0;
  const { signal } = new AbortController();
  Object.defineProperty(signal, 'aborted', { get: () => ++looks > 10 });
  await expect(looking(signal)).rejects.toThrow('looking at a VPK was interrupted');
  await rm(join(root, 'left4dead2/addons/many.vpk'));
  await writeFile(join(root, 'a.txt'), '');
  await expect(looking(AbortSignal.abort())).rejects.toThrow('looking at the files was interrupted');
});
