import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { openTrees } from '../src/index.js';
import { removeTree } from '../src/overlay/remove-tree.js';
import { tarOf } from './support/archives.js';
import { makeRevision, makeSpec, openTestHost, type TestHost, writeTree } from './support/fixture.js';
import { contentsOf, outcomesOf, whileSwapped } from './support/swapped-link.js';

const TIMES = 80;
const MOST = 1024 * 1024;

let test: TestHost;
let outside: string;
let aside: string;
let before: Record<string, string>;
beforeEach(async () => {
  test = await openTestHost();
  outside = join(test.root, 'outside');
  aside = join(test.root, 'aside');
  await mkdir(aside);
  await writeTree(outside, { 'b/file.txt': 'SECRET', 'b/kept.txt': 'SECRET', 'file.txt': 'SECRET' });
  before = await contentsOf(outside);
});

/** In a draft whose folder `a` leads outside every second moment. */
async function inDraft(work: (drafts: ReturnType<typeof openTrees>, i: number) => Promise<unknown>) {
  const drafts = openTrees(join(test.root, 'drafts'));
  const folder = join(test.root, 'drafts/7');
  await writeTree(folder, { 'a/b/file.txt': 'inside' });
  let outcomes = { done: 0, refused: 0 };
  await whileSwapped({ folder: join(folder, 'a'), target: outside, aside }, async (turn) => {
    outcomes = await outcomesOf(TIMES, turn, (i) => work(drafts, i));
  });
  // Nothing of what lies outside has come in, either.
  expect(Object.values({ ...(await contentsOf(folder)), ...(await contentsOf(aside)) })).not.toContain('SECRET');
  return outcomes;
}

describe('a link that is swapped in while a draft is changed', () => {
  const both = { done: expect.toSatisfy((n: number) => n > 0), refused: expect.toSatisfy((n: number) => n > 0) };

  it('takes nothing outside when a file is written', async () => {
    const body = () => Readable.from([Buffer.from('new')]);
    const outcomes = await inDraft((drafts, i) => drafts.write('7', `a/b/${i}.txt`, body(), MOST));
    expect(outcomes).toEqual(both);
    expect(await contentsOf(outside)).toEqual(before);
  });

  it('takes nothing outside when an archive is unpacked', async () => {
    await mkdir(join(test.root, 'drafts/.tmp'), { recursive: true });
    const archive = join(test.root, 'drafts/.tmp/archive');
    await writeFile(archive, tarOf([{ name: 'file.txt', content: 'new' }]));
    const outcomes = await inDraft((drafts, i) =>
      drafts.unpack('7', archive, { target: `a/b/${i}`, mode: i % 2 === 0 ? 'merge' : 'replace' }),
    );
    expect(outcomes).toEqual(both);
    expect(await contentsOf(outside)).toEqual(before);
  });

  it('takes nothing outside, and nothing from there, when files are moved and removed', async () => {
    const outcomes = await inDraft(async (drafts, i) => {
      const [from, to] = i % 2 === 0 ? ['a/b/file.txt', 'file.txt'] : ['file.txt', 'a/b/file.txt'];
      await drafts.move('7', from, to, { replace: true });
    });
    expect(outcomes).toEqual(both);
    const removed = await inDraft(async (drafts, i) => {
      await drafts.makeFolder('7', `a/b/${i}`);
      await drafts.remove('7', `a/b/${i}`);
    });
    expect(removed).toEqual(both);
    // It exists outside only.
    expect(await inDraft((drafts) => drafts.remove('7', 'a/b/kept.txt'))).toEqual({ done: 0, refused: TIMES });
    expect(await contentsOf(outside)).toEqual(before);
  });
});

describe('a link that is swapped in', () => {
  it('brings nothing from outside into a revision that is published', async () => {
    const draft = join(test.root, 'drafts/7');
    await writeTree(draft, { 'a/b/file.txt': 'inside', 'z.txt': 'z' });
    let published = 0;
    await whileSwapped({ folder: join(draft, 'a'), target: outside, aside }, async (turn) => {
      const { done } = await outcomesOf(50, turn, (i) => test.host.publish({ overlay: 7, revision: i + 1 }, test.run));
      published = done;
    });
    expect(published).toBeGreaterThan(0);
    expect(Object.values(await contentsOf(join(test.root, 'overlays/7'))).join('\n')).not.toContain('SECRET');
  });

  it('has nothing outside removed with the tree it is in', async () => {
    for (let i = 0; i < 20; i++) {
      const tree = join(test.root, `tree-${i}`);
      await writeTree(tree, { 'a/b/file.txt': 'inside', 'c/file.txt': 'inside' });
      const files = Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`a/b/${n}.txt`, 'inside']));
      await writeTree(tree, files);
      const removal = removeTree(tree);
      // Whoever comes first: the folder is gone, or is a link now.
      const swap = async (): Promise<void> => {
        await removeTree(join(tree, 'a'));
        await symlink(outside, join(tree, 'a'));
      };
      await Promise.allSettled([swap(), removal]);
      await removeTree(tree);
    }
    expect(await contentsOf(outside)).toEqual(before);
    expect((await readdir(test.root)).filter((name) => name.startsWith('tree-'))).toEqual([]);
  });

  it('has nothing outside removed, or moved away, by what is done with what a server wrote', async () => {
    const { root, host, run } = test;
    await makeRevision(root, '5/1', { 'a/b/file.txt': 'one' });
    await makeRevision(root, '5/2', { 'a/b/file.txt': 'two' });
    const upper = join(root, 'instances/versus/upper');
    const spec = makeSpec();
    await host.initialize('versus', { ...spec, overlays: ['5/1'] }, run);
    await host.start('versus', run);
    await host.stop('versus', run);
    await writeTree(upper, { 'a/b/file.txt': 'own' });
    await whileSwapped({ folder: join(upper, 'a'), target: outside, aside }, async (turn) => {
      const outcomes = await outcomesOf(24, turn, async (i) => {
        await writeFile(join(upper, `a/b/${i}.txt`), 'own').catch((error: unknown) => error);
        await host.files.removeOwn('versus', 'a/b/file.txt');
      });
      expect(outcomes.refused).toBeGreaterThan(0);
      await host.initialize('versus', { ...spec, overlays: ['5/2'] }, run);
    });
    const after = await contentsOf(outside);
    expect(Object.fromEntries(Object.keys(before).map((path) => [path, after[path]]))).toEqual(before);
  });
});
