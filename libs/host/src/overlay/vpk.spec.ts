import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { vpkProblem } from './vpk.js';

let folder: string;
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'left4me-vpk-'))));
afterEach(() => rm(folder, { recursive: true }));

interface Entry {
  length: number;
  offset?: number;
  archive?: number;
  preload?: string;
  terminator?: number;
}

function entry({ length, offset = 0, archive = 0x7fff, preload = '', terminator = 0xffff }: Entry): Buffer {
  const bytes = Buffer.alloc(18);
  bytes.writeUInt16LE(preload.length, 4);
  bytes.writeUInt16LE(archive, 6);
  bytes.writeUInt32LE(offset, 8);
  bytes.writeUInt32LE(length, 12);
  bytes.writeUInt16LE(terminator, 16);
  return Buffer.concat([bytes, Buffer.from(preload)]);
}

/** A tree of one file, `maps/c1.bsp`. */
function treeOf(file: Buffer): Buffer {
  return Buffer.concat([Buffer.from('bsp\0maps\0c1\0'), file, Buffer.from('\0\0\0')]);
}

function header(version: number, treeBytes: number): Buffer {
  const bytes = Buffer.alloc(version === 2 ? 28 : 12);
  bytes.writeUInt32LE(0x55aa1234, 0);
  bytes.writeUInt32LE(version, 4);
  bytes.writeUInt32LE(treeBytes, 8);
  return bytes;
}

async function problemOf(...parts: Buffer[]): Promise<string | null> {
  const path = join(folder, 'pack.vpk');
  await writeFile(path, Buffer.concat(parts));
  return vpkProblem(path);
}

test.each([1, 2])('a well-formed VPK of version %d has no problem', async (version) => {
  const tree = treeOf(entry({ offset: 1, length: 4, preload: 'preloaded' }));
  expect(await problemOf(header(version, tree.length), tree, Buffer.from('12345'))).toBeNull();
});

test('a tree of many chunks is parsed to its end', async () => {
  const files = Array.from({ length: 20_000 }, (_, n) => Buffer.concat([Buffer.from(`f${n}\0`), entry({ length: 1 })]));
  const many = (last: Buffer) => Buffer.concat([Buffer.from('vmt\0materials\0'), ...files, last]);
  const whole = many(Buffer.from('\0\0\0'));
  expect(await problemOf(header(1, whole.length), whole, Buffer.from('1'))).toBeNull();
  const cut = many(Buffer.from('\0'));
  expect(await problemOf(header(1, cut.length), cut)).toContain('"materials/f0.vmt" lies beyond');
  expect(await problemOf(header(1, cut.length), cut, Buffer.from('1'))).toContain('cut off');
});

test('contents beyond the end of the file are a problem that names them, those of sibling archives are not', async () => {
  const tree = treeOf(entry({ offset: 2, length: 4 }));
  expect(await problemOf(header(1, tree.length), tree, Buffer.from('12345'))).toBe(
    '"maps/c1.bsp" lies beyond the end of the file',
  );
  const siblings = treeOf(entry({ offset: 2, length: 4_000_000_000, archive: 3 }));
  expect(await problemOf(header(1, siblings.length), siblings)).toBeNull();
});

test.each<[string, () => Buffer, string]>([
  ['an empty file', () => Buffer.alloc(0), 'does not begin like a VPK'],
  ['a page that was downloaded instead', () => Buffer.from('<!doctype html><title>403'), 'does not begin like a VPK'],
  ['another version', () => header(3, 0), 'version 3'],
  ['a tree longer than the file', () => Buffer.concat([header(1, 100), Buffer.alloc(99)]), 'longer than the file'],
  ['a tree of no bytes', () => header(1, 0), 'cut off'],
  [
    'a name without end',
    () => Buffer.concat([header(1, 5_000), Buffer.alloc(5_000, 'a')]),
    'name in its directory tree',
  ],
])('%s is a problem', async (_name, content, problem) => {
  expect(await problemOf(content())).toContain(problem);
});

test('a damaged entry and preloaded bytes that leave the tree are problems', async () => {
  const damaged = treeOf(entry({ length: 0, terminator: 0 }));
  expect(await problemOf(header(1, damaged.length), damaged)).toContain('"maps/c1.bsp" has a damaged entry');
  const long = treeOf(entry({ length: 0, preload: 'x'.repeat(100) }));
  expect(await problemOf(header(1, long.length - 50), long)).toContain('cut off');
});

test('a forged tree length of 4 GB is refused without being read', async () => {
  const path = join(folder, 'forged.vpk');
  await writeFile(path, header(1, 0xffff_fff0));
  await truncate(path, 0xffff_fff0 + 12);
  const before = process.memoryUsage().rss;
  expect(await vpkProblem(path)).toContain('longer than 67108864 bytes');
  expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 ** 2);
});

test('a link, a folder and a FIFO are not VPKs, an open file stays open', async () => {
  await symlink('/etc/passwd', join(folder, 'link.vpk'));
  expect(await vpkProblem(join(folder, 'link.vpk'))).toBe('it is a link');
  expect(await vpkProblem(folder)).toBe('it is not a file');
  execFileSync('mkfifo', [join(folder, 'fifo.vpk')]);
  expect(await vpkProblem(join(folder, 'fifo.vpk'))).toBe('it is not a file');
  const tree = treeOf(entry({ length: 0 }));
  await writeFile(join(folder, 'open.vpk'), Buffer.concat([header(1, tree.length), tree]));
  const file = await open(join(folder, 'open.vpk'));
  expect(await vpkProblem(file)).toBeNull();
  await file.close();
});
