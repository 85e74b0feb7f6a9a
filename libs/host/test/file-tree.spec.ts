import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { openTrees, type FileTree } from '../src/index.js';
import { makeRoot } from './support/fixture.js';

const LIMIT = 1_000;
let root: string;
let drafts: FileTree;
beforeEach(async () => {
  root = await makeRoot();
  await writeFile(join(root, 'secret'), 'SECRET_KEY');
  await mkdir(join(root, 'drafts'));
  drafts = openTrees(join(root, 'drafts'));
});

function body(content: string): Readable {
  return Readable.from([Buffer.from(content)]);
}

async function everything(): Promise<string[]> {
  return (await readdir(root, { recursive: true })).filter((path) => path !== 'drafts/.tmp').sort();
}

describe('a draft', () => {
  it('takes files, makes their folders, lists folders first and gives the files back', async () => {
    await drafts.write('1', 'left4dead2/cfg/z.cfg', body('old'), LIMIT);
    const entry = await drafts.write('1', 'left4dead2/cfg/z.cfg', body('new'), LIMIT);
    expect(entry).toMatchObject({ name: 'z.cfg', path: 'left4dead2/cfg/z.cfg', type: 'file', size: 3 });
    await drafts.write('1', 'left4dead2/a.txt', body(''), LIMIT);
    const names = (await drafts.list('1', 'left4dead2')).map(({ name, type }) => `${type} ${name}`);
    expect(names).toEqual(['directory cfg', 'file a.txt']);
    const { stream, size } = await drafts.open('1', 'left4dead2/cfg/z.cfg');
    expect(size).toBe(3);
    expect(await text(stream)).toBe('new');
    expect(await drafts.summary('1')).toMatchObject({ files: 2, bytes: 3 });
    await expect(drafts.summary('1', AbortSignal.abort())).rejects.toMatchObject({ code: 'interrupted' });
    await drafts.remove('1', 'left4dead2/cfg');
    expect((await drafts.list('1', 'left4dead2')).map(({ name }) => name)).toEqual(['a.txt']);
    await drafts.destroy('1');
    await drafts.destroy('1');
    expect(await drafts.list('1', '')).toEqual([]);
    expect(await drafts.summary('1')).toEqual({ files: 0, bytes: 0, modifiedAt: null });
    expect(await readdir(join(root, 'drafts/.tmp'))).toEqual([]);
  });

  it('refuses a body over its limit, or one that breaks off, and keeps what was there', async () => {
    await drafts.write('1', 'a/b.txt', body('first'), LIMIT);
    await expect(drafts.write('1', 'a/b.txt', body('x'.repeat(LIMIT + 1)), LIMIT)).rejects.toMatchObject({
      code: 'too-large',
    });
    await expect(drafts.write('1', 'new/c.txt', body('x'.repeat(LIMIT + 1)), LIMIT)).rejects.toMatchObject({
      code: 'too-large',
    });
    const broken = new Readable({ read: () => undefined });
    setTimeout(() => broken.destroy(new Error('the client went away')), 20);
    await expect(drafts.write('1', 'a/b.txt', broken, LIMIT)).rejects.toThrow('went away');
    expect(await everything()).toEqual(['drafts', 'drafts/1', 'drafts/1/a', 'drafts/1/a/b.txt', 'secret']);
    expect(await readFile(join(root, 'drafts/1/a/b.txt'), 'utf8')).toBe('first');
  });

  it.each([
    '../secret',
    'a/../../secret',
    '/etc/passwd',
    '',
    'a//b',
    './a',
    'a/.',
    'a/b/',
    'a\0b',
    'a\nb',
    '..',
    'x'.repeat(256),
  ])('refuses the path %j and writes nothing', async (path) => {
    await expect(drafts.write('1', path, body('x'), LIMIT)).rejects.toMatchObject({ code: 'path-refused' });
    await expect(drafts.open('1', path)).rejects.toMatchObject({ code: 'path-refused' });
    await expect(drafts.remove('1', path)).rejects.toMatchObject({ code: 'path-refused' });
    await expect(drafts.list('1', path || '..')).rejects.toMatchObject({ code: 'path-refused' });
    expect(await everything()).toEqual(['drafts', 'secret']);
  });

  it.each(['', '..', '1/..', '../1', 'a', '1/2/3', '0', '1 '])('refuses the tree %j', async (tree) => {
    await expect(drafts.write(tree, 'a', body('x'), LIMIT)).rejects.toMatchObject({ code: 'invalid-name' });
    await expect(drafts.destroy(tree)).rejects.toMatchObject({ code: 'invalid-name' });
    await expect(drafts.list(tree, '')).rejects.toMatchObject({ code: 'invalid-name' });
  });

  it('goes through no link, neither on the way nor at its end', async () => {
    await mkdir(join(root, 'drafts/1/real'), { recursive: true });
    await symlink('../..', join(root, 'drafts/1/out'));
    await symlink('real', join(root, 'drafts/1/inside'));
    await symlink('../../secret', join(root, 'drafts/1/stolen'));
    for (const path of ['out/secret', 'out/new', 'inside/new', 'stolen', 'out', 'real/../out/secret']) {
      await expect(drafts.write('1', path, body('x'), LIMIT)).rejects.toMatchObject({ code: 'path-refused' });
    }
    for (const path of ['out/secret', 'stolen']) {
      await expect(drafts.open('1', path)).rejects.toMatchObject({ code: 'path-refused' });
    }
    await expect(drafts.list('1', 'out')).rejects.toMatchObject({ code: 'path-refused' });
    await expect(drafts.remove('1', 'out/secret')).rejects.toMatchObject({ code: 'path-refused' });
    expect(await drafts.summary('1')).toMatchObject({ files: 0 });
    await drafts.remove('1', 'stolen');
    await drafts.remove('1', 'out');
    expect(await readFile(join(root, 'secret'), 'utf8')).toBe('SECRET_KEY');
    expect(await readdir(join(root, 'drafts/1/real'))).toEqual([]);
  });

  it('refuses a folder where a file is, and a file where a folder is', async () => {
    await drafts.write('1', 'a', body('x'), LIMIT);
    await drafts.write('1', 'd/e', body('x'), LIMIT);
    await expect(drafts.write('1', 'a/b', body('x'), LIMIT)).rejects.toMatchObject({ code: 'path-refused' });
    await expect(drafts.write('1', 'd', body('x'), LIMIT)).rejects.toMatchObject({ code: 'path-refused' });
    await expect(drafts.open('1', 'd')).rejects.toMatchObject({ code: 'path-refused' });
    await expect(drafts.open('1', 'nope')).rejects.toMatchObject({ code: 'not-found' });
    await expect(drafts.list('1', 'nope')).rejects.toMatchObject({ code: 'not-found' });
    await expect(drafts.remove('1', 'nope/x')).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('a published revision', () => {
  it('can be read and not be written', async () => {
    await mkdir(join(root, 'overlays/1/2'), { recursive: true });
    await writeFile(join(root, 'overlays/1/2/a.txt'), 'a');
    const revisions = openTrees(join(root, 'overlays'), { readOnly: true });
    expect(await revisions.list('1/2', '')).toMatchObject([{ name: 'a.txt', size: 1 }]);
    await expect(revisions.write('1/2', 'a.txt', body('b'), LIMIT)).rejects.toMatchObject({ code: 'not-supported' });
    await expect(revisions.remove('1/2', 'a.txt')).rejects.toMatchObject({ code: 'not-supported' });
    await expect(revisions.destroy('1/2')).rejects.toMatchObject({ code: 'not-supported' });
  });
});
