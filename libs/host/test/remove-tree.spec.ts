import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeTree } from '../src/overlay/remove-tree.js';

let folder: string;
let tree: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'left4me-remove-'));
  tree = join(folder, 'tree');
  await mkdir(tree);
});
afterEach(() => rm(folder, { recursive: true }));

/** As a script does it: each step is relative, so the whole may be longer than any system call takes. */
const MAKE_DEEP = `
const { mkdirSync, writeFileSync } = require('node:fs');
const [, tree, levels, name] = process.argv;
process.chdir(tree);
for (let level = 0; level < Number(levels); level++) {
  mkdirSync(name);
  writeFileSync('file', '');
  process.chdir(name);
}`;
const REMOVE = `import(process.argv[1]).then(({ removeTree }) => removeTree(process.argv[2]))`;
const BUILT = new URL('../dist/overlay/remove-tree.js', import.meta.url).href;

test('removes paths longer than PATH_MAX', async () => {
  execFileSync(process.execPath, ['-e', MAKE_DEEP, tree, '40', 'x'.repeat(250)]);
  await removeTree(tree);
  expect(await readdir(folder)).toEqual([]);
});

test('removes a tree deeper than there are descriptors', async () => {
  execFileSync(process.execPath, ['-e', MAKE_DEEP, tree, '500', 'd']);
  execFileSync('prlimit', ['--nofile=100', process.execPath, '-e', REMOVE, BUILT, tree]);
  expect(await readdir(folder)).toEqual([]);
});

test('removes folders without permissions, as a user who needs them', async () => {
  for (const mode of [0o000, 0o400, 0o500, 0o200]) {
    const closed = join(tree, `mode ${mode.toString(8)}`);
    await mkdir(join(closed, 'inner'), { recursive: true });
    await writeFile(join(closed, 'inner', 'file'), '');
    await chmod(join(closed, 'inner'), mode);
    await chmod(closed, mode);
  }
  await chmod(tree, 0o000);
  // The namespace's user owns the files, and has none of the rights of root.
  const user = ['--user', '--map-user=1000', '--map-group=1000'];
  execFileSync('unshare', [...user, process.execPath, '-e', REMOVE, BUILT, tree]);
  expect(await readdir(folder)).toEqual([]);
});

test('removes names that are not UTF-8', async () => {
  const name = Buffer.from([0x63, 0xff, 0xfe]);
  await mkdir(Buffer.concat([Buffer.from(`${tree}/`), name]));
  await writeFile(Buffer.concat([Buffer.from(`${tree}/`), name, Buffer.from('/'), name]), '');
  await removeTree(tree);
  expect(await readdir(folder)).toEqual([]);
});

test('removes links, not what they point to, and takes a missing tree for success', async () => {
  await mkdir(join(folder, 'outside'));
  await writeFile(join(folder, 'outside', 'kept'), '');
  await symlink('../outside', join(tree, 'link'));
  await removeTree(tree);
  await symlink('outside', tree);
  await removeTree(tree);
  await removeTree(tree);
  expect(await readdir(folder)).toEqual(['outside']);
  expect((await lstat(join(folder, 'outside', 'kept'))).isFile()).toBe(true);
});
