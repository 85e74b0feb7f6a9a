import { mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { ARCHIVE_LIMITS, type FileTree, openTrees } from '../src/index.js';
import { tarOf, type TestEntry } from './support/archives.js';
import { filesIn } from './support/files-in.js';
import { makeRoot } from './support/fixture.js';

let root: string;
let drafts: FileTree;
beforeEach(async () => {
  root = await makeRoot();
  await mkdir(join(root, 'drafts/7/left4dead2/cfg'), { recursive: true });
  drafts = openTrees(join(root, 'drafts'));
  await writeFile(join(root, 'drafts/7/left4dead2/cfg/server.cfg'), 'old');
  await writeFile(join(root, 'drafts/7/left4dead2/cfg/kept.cfg'), 'kept');
});

const files = (): Promise<Record<string, string>> => filesIn(join(root, 'drafts/7'));

/** That nothing is left beside the trees. */
async function leftovers(): Promise<string[]> {
  return (await readdir(join(root, 'drafts/.tmp')).catch(() => [])).filter((name) => name !== 'archive');
}

async function archiveOf(entries: readonly TestEntry[]): Promise<string> {
  await mkdir(join(root, 'drafts/.tmp'), { recursive: true });
  const path = join(root, 'drafts/.tmp/archive');
  await writeFile(path, tarOf(entries));
  return path;
}

const body = (content: string): Readable => Readable.from([Buffer.from(content)]);

describe('an archive that goes into a draft', () => {
  const entries = [
    { name: 'cfg/server.cfg', content: 'new' },
    { name: 'cfg/more/a.cfg', content: 'a' },
    { name: 'addons/b.vpk', content: 'b' },
  ];

  it('is merged: its files replace those of the same path, the others stay', async () => {
    const told: number[] = [];
    const options = { target: 'left4dead2', mode: 'merge', progress: (count: number) => told.push(count) } as const;
    const unpacked = await drafts.unpack('7', await archiveOf(entries), options);
    expect(told).toEqual([1, 2, 3]);
    expect(unpacked).toEqual({ files: 3, bytes: 5, leftOut: { count: 0, first: [] } });
    expect(await files()).toEqual({
      'left4dead2/cfg/server.cfg': 'new',
      'left4dead2/cfg/kept.cfg': 'kept',
      'left4dead2/cfg/more/a.cfg': 'a',
      'left4dead2/addons/b.vpk': 'b',
    });
    expect(await leftovers()).toEqual([]);
  });

  it('replaces the target folder, or the whole draft, and nothing beside it', async () => {
    await drafts.unpack('7', await archiveOf(entries), { target: 'left4dead2/cfg', mode: 'replace' });
    expect(await files()).toEqual({
      'left4dead2/cfg/cfg/server.cfg': 'new',
      'left4dead2/cfg/cfg/more/a.cfg': 'a',
      'left4dead2/cfg/addons/b.vpk': 'b',
    });
    await drafts.unpack('7', await archiveOf([{ name: 'only', content: 'x' }]), { target: '', mode: 'replace' });
    expect(await files()).toEqual({ only: 'x' });
    expect(await leftovers()).toEqual([]);
  });

  it('makes the draft, and the target folder, where there is none', async () => {
    await drafts.destroy('7');
    await drafts.unpack('7', await archiveOf([{ name: 'a', content: 'x' }]), { target: 'new/place', mode: 'merge' });
    expect(await files()).toEqual({ 'new/place/a': 'x' });
  });

  it.each<[string, TestEntry[], string]>([
    [
      'a file where the draft has a folder',
      [
        { name: 'a', content: 'x' },
        { name: 'cfg', content: 'x' },
      ],
      'left4dead2',
    ],
    ['a folder where the draft has a file', [{ name: 'a', content: 'x' }, { name: 'kept.cfg/b' }], 'left4dead2/cfg'],
    [
      'a path that climbs out',
      [
        { name: 'a', content: 'x' },
        { name: '../../../evil', content: 'x' },
      ],
      'left4dead2',
    ],
  ])('with %s changes nothing', async (_what, hostile, target) => {
    const before = await files();
    await expect(drafts.unpack('7', await archiveOf(hostile), { target, mode: 'merge' })).rejects.toMatchObject({
      code: expect.stringMatching(/^(path|archive)-refused$/),
    });
    expect(await files()).toEqual(before);
    expect(await leftovers()).toEqual([]);
  });

  it('is never written through a link that somebody planted in the draft', async () => {
    await mkdir(join(root, 'outside'));
    await symlink(join(root, 'outside'), join(root, 'drafts/7/link'));
    const archive = await archiveOf([{ name: 'link/a', content: 'x' }]);
    await expect(drafts.unpack('7', archive, { target: '', mode: 'merge' })).rejects.toMatchObject({
      code: 'path-refused',
    });
    for (const mode of ['merge', 'replace'] as const) {
      await expect(drafts.unpack('7', archive, { target: 'link', mode })).rejects.toMatchObject({
        code: 'path-refused',
      });
      await expect(drafts.unpack('7', archive, { target: 'link/x', mode })).rejects.toMatchObject({
        code: 'path-refused',
      });
    }
    expect(await readdir(join(root, 'outside'))).toEqual([]);
  });
});

describe('a folder that a process changed that was killed', () => {
  const replacing = { mode: 'replace', path: 'left4dead2/cfg', aside: 'aside' } as const;
  beforeEach(() => mkdir(join(root, 'drafts/.tmp')));

  it('is put back when it was moved aside, also where the folders on the way are gone', async () => {
    const before = await files();
    await rename(join(root, 'drafts/7/left4dead2/cfg'), join(root, 'drafts/.tmp/aside'));
    await drafts.remove('7', 'left4dead2');
    expect(await drafts.makeWhole('7', replacing)).toBe(true);
    expect(await files()).toEqual(before);
    await rename(join(root, 'drafts/7'), join(root, 'drafts/.tmp/aside'));
    expect(await drafts.makeWhole('7', { mode: 'replace', path: '', aside: 'aside' })).toBe(true);
    expect(await files()).toEqual(before);
  });

  it('stays where it is when another one has its place, and nothing is made when it was not moved yet', async () => {
    const before = await files();
    await mkdir(join(root, 'drafts/.tmp/aside'));
    expect(await drafts.makeWhole('7', replacing)).toBe(false);
    expect(await drafts.makeWhole('7', { mode: 'replace', path: 'new/folder', aside: 'none' })).toBe(false);
    expect(await files()).toEqual(before);
    expect(await readdir(join(root, 'drafts/7'))).toEqual(['left4dead2']);
    expect(await leftovers()).toEqual(['aside']);
  });

  it('gets the rest of what was to be merged into it, once, and nothing when that does not fit', async () => {
    const merging = { mode: 'merge', path: 'left4dead2', aside: 'aside' } as const;
    const before = await files();
    const aside = join(root, 'drafts/.tmp/aside');
    await mkdir(join(aside, 'cfg/server.cfg/x'), { recursive: true });
    await writeFile(join(aside, 'a'), 'new');
    await expect(drafts.makeWhole('7', merging)).rejects.toMatchObject({ code: 'path-refused' });
    expect(await files()).toEqual(before);
    await rm(join(aside, 'cfg/server.cfg'), { recursive: true });
    await writeFile(join(aside, 'cfg/server.cfg'), 'new');
    expect(await drafts.makeWhole('7', merging)).toBe(true);
    expect(await files()).toEqual({ ...before, 'left4dead2/a': 'new', 'left4dead2/cfg/server.cfg': 'new' });
    expect(await drafts.makeWhole('7', merging)).toBe(false);
    expect(await leftovers()).toEqual([]);
  });

  it('is told before it is changed', async () => {
    const told: unknown[] = [];
    const swap = async <T>(change: () => Promise<T>, replaced?: unknown): Promise<T> => {
      told.push(replaced);
      return change();
    };
    const archive = await archiveOf([{ name: 'a', content: 'x' }]);
    await drafts.unpack('7', archive, { target: 'left4dead2/cfg', mode: 'merge', swap });
    await drafts.unpack('7', archive, { target: 'left4dead2/cfg', mode: 'replace', swap });
    const aside = expect.stringMatching(/^[0-9a-f]{16}$/);
    expect(told).toEqual([
      { mode: 'merge', path: 'left4dead2/cfg', aside },
      { mode: 'replace', path: 'left4dead2/cfg', aside },
    ]);
    expect(await leftovers()).toEqual([]);
  });
});

describe('a file', () => {
  it('is replaced by an editor only as long as nobody else has changed it', async () => {
    const { stream, etag } = await drafts.open('7', 'left4dead2/cfg/server.cfg');
    stream.destroy();
    const mine = await drafts.write('7', 'left4dead2/cfg/server.cfg', body('mine'), 10, { ifMatch: etag });
    await expect(
      drafts.write('7', 'left4dead2/cfg/server.cfg', body('hers'), 10, { ifMatch: etag }),
    ).rejects.toMatchObject({ code: 'changed' });
    const again = await drafts.write('7', 'left4dead2/cfg/server.cfg', body('mine'), 10, { ifMatch: mine.etag });
    expect(again.etag).not.toBe(mine.etag);
    await drafts.remove('7', 'left4dead2/cfg/server.cfg');
    await expect(
      drafts.write('7', 'left4dead2/cfg/server.cfg', body('x'), 10, { ifMatch: again.etag }),
    ).rejects.toMatchObject({ code: 'changed' });
    expect(await leftovers()).toEqual([]);
  });

  it('that is to be new is made by one of two, and nothing is replaced', async () => {
    const write = (path: string, content: string) => drafts.write('7', path, body(content), 100, { ifNone: true });
    await expect(write('left4dead2/cfg/server.cfg', 'x')).rejects.toMatchObject({ code: 'changed' });
    const both = await Promise.allSettled([write('new/a.cfg', 'one'), write('new/a.cfg', 'two')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [made] = both.flatMap(({ status }, index) => (status === 'fulfilled' ? [['one', 'two'][index]] : []));
    expect(await files()).toMatchObject({ 'left4dead2/cfg/server.cfg': 'old', 'new/a.cfg': made });
    expect(await leftovers()).toEqual([]);
  });

  it('is not taken when the disk would be full', async () => {
    const limits = { ...ARCHIVE_LIMITS, reserveBytes: 2 ** 60 };
    const full = openTrees(join(root, 'drafts'), { limits });
    await expect(full.write('7', 'a', body('x'), 10)).rejects.toMatchObject({ code: 'disk-full' });
    expect(await leftovers()).toEqual([]);
  });
});

it('a refused edit of a file that is not there makes no folders', async () => {
  await expect(drafts.write('7', 'new/dir/a.cfg', body('x'), 10, { ifMatch: '"a"' })).rejects.toMatchObject({
    code: 'changed',
  });
  expect(await readdir(join(root, 'drafts/7'))).toEqual(['left4dead2']);
});

it('counting and looking through a draft goes on when folders go away meanwhile', async () => {
  const [place, away] = [join(root, 'drafts/7/left4dead2'), join(root, 'drafts/away')];
  const look = async (): Promise<void> => {
    await drafts.summary('7');
    for await (const _warning of drafts.warnings('7'));
  };
  const seen = new AbortController();
  const flipping = (async () => {
    while (!seen.signal.aborted) {
      await rename(place, away);
      await rename(away, place);
    }
  })();
  try {
    for (let times = 0; times < 300; times++) await look();
  } finally {
    seen.abort();
    await flipping;
  }
  expect(await drafts.summary('7')).toMatchObject({ files: 2 });
});

it('no path in a draft gets longer than paths may be, by unpacking into depth or by moving a folder there', async () => {
  const deep = (letter: string): string => Array<string>(5).fill(letter.repeat(239)).join('/');
  await drafts.makeFolder('7', deep('d'));
  await drafts.makeFolder('7', deep('e'));
  await expect(drafts.move('7', 'd'.repeat(239), `${deep('e')}/d`)).rejects.toMatchObject({
    code: 'path-refused',
    message: expect.stringContaining('2048'),
  });
  const archive = await archiveOf([
    { name: 'long', type: 'L', content: `${deep('f')}/file` },
    { name: 'short', content: 'x' },
  ]);
  await expect(drafts.unpack('7', archive, { target: deep('e'), mode: 'merge' })).rejects.toMatchObject({
    code: 'archive-refused',
    message: expect.stringContaining('2048'),
  });
  expect(await readdir(join(root, 'drafts/7', deep('e')))).toEqual([]);
  expect(await leftovers()).toEqual([]);
});

it('a new folder is made once', async () => {
  await drafts.makeFolder('7', 'left4dead2/addons/sourcemod');
  await expect(drafts.makeFolder('7', 'left4dead2/addons')).rejects.toMatchObject({ code: 'exists' });
  expect(await readdir(join(root, 'drafts/7/left4dead2/addons'))).toEqual(['sourcemod']);
});

it('everything is prepared before the moment in which the tree changes, and a refused moment changes nothing', async () => {
  const before = await files();
  const swap = async (): Promise<never> => {
    expect(await files()).toEqual(before);
    throw new Error('not now');
  };
  const archive = await archiveOf([{ name: 'a', content: 'x' }]);
  await expect(drafts.write('7', 'a', body('x'), 10, { swap })).rejects.toThrow('not now');
  await expect(drafts.unpack('7', archive, { target: '', mode: 'replace', swap })).rejects.toThrow('not now');
  await expect(drafts.move('7', 'left4dead2', 'x', { swap })).rejects.toThrow('not now');
  await expect(drafts.remove('7', 'left4dead2', { swap })).rejects.toThrow('not now');
  await expect(drafts.makeFolder('7', 'x', { swap })).rejects.toThrow('not now');
  expect(await files()).toEqual(before);
  expect(await leftovers()).toEqual([]);
});
