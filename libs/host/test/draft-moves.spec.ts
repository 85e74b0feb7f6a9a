import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { type FileTree, openTrees } from '../src/index.js';
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
const body = (content: string): Readable => Readable.from([Buffer.from(content)]);

describe('moving', () => {
  it('renames files and folders with all they hold, and makes the folders on the way', async () => {
    await drafts.move('7', 'left4dead2/cfg/server.cfg', 'left4dead2/other/first.cfg');
    await drafts.move('7', 'left4dead2/cfg', 'cfg');
    expect(await files()).toEqual({ 'left4dead2/other/first.cfg': 'old', 'cfg/kept.cfg': 'kept' });
  });

  it('goes over something only when that is a file and it was asked for', async () => {
    const before = await files();
    const [from, to] = ['left4dead2/cfg/kept.cfg', 'left4dead2/cfg/server.cfg'];
    await expect(drafts.move('7', from, to)).rejects.toMatchObject({ code: 'exists' });
    await mkdir(join(root, 'drafts/7/empty'));
    await expect(drafts.move('7', 'left4dead2/cfg', 'empty', { replace: true })).rejects.toMatchObject({
      code: 'exists',
    });
    await expect(drafts.move('7', 'left4dead2', 'left4dead2/cfg/x')).rejects.toMatchObject({ code: 'path-refused' });
    await expect(drafts.move('7', 'none', 'x')).rejects.toMatchObject({ code: 'not-found' });
    await expect(drafts.move('7', from, '../x')).rejects.toMatchObject({ code: 'path-refused' });
    expect(await files()).toEqual(before);
    await drafts.move('7', from, to, { replace: true });
    expect(await files()).toEqual({ 'left4dead2/cfg/server.cfg': 'kept' });
  });
});

describe('moving a folder onto another one', () => {
  const tree = async (entries: Record<string, string>): Promise<void> => {
    for (const [path, content] of Object.entries(entries)) await drafts.write('7', path, body(content), 100);
  };
  const merge = (from: string, to: string, more = {}) => drafts.move('7', from, to, { merge: true, ...more });

  it('joins them, and the one that was moved is gone', async () => {
    await tree({ 'cfg/a.cfg': 'a', 'cfg/deep/b.cfg': 'b', 'left4dead2/cfg/deep/c.cfg': 'c' });
    await drafts.makeFolder('7', 'cfg/empty');
    await merge('cfg', 'left4dead2/cfg');
    expect(await files()).toEqual({
      'left4dead2/cfg/server.cfg': 'old',
      'left4dead2/cfg/kept.cfg': 'kept',
      'left4dead2/cfg/a.cfg': 'a',
      'left4dead2/cfg/deep/b.cfg': 'b',
      'left4dead2/cfg/deep/c.cfg': 'c',
    });
    expect(await readdir(join(root, 'drafts/7'))).toEqual(['left4dead2']);
    expect(await readdir(join(root, 'drafts/7/left4dead2/cfg/empty'))).toEqual([]);
  });

  it('moves nothing when something is in the way, and names it', async () => {
    await tree({ 'cfg/a.cfg': 'a', 'cfg/server.cfg': 'new', 'cfg/kept.cfg/x': 'x', 'cfg/link/x': 'x' });
    await symlink(root, join(root, 'drafts/7/left4dead2/cfg/link'));
    const before = await files();
    const refused = await merge('cfg', 'left4dead2/cfg').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'exists' });
    for (const name of ['server.cfg', 'kept.cfg', 'link'])
      expect(String(refused)).toContain(`"left4dead2/cfg/${name}"`);
    expect(String(refused)).not.toContain('a.cfg');
    // A file may be replaced; what is of another kind may not.
    await expect(merge('cfg', 'left4dead2/cfg', { replace: true })).rejects.toMatchObject({ code: 'exists' });
    expect(await files()).toEqual(before);
    await drafts.remove('7', 'cfg/link');
    await drafts.remove('7', 'cfg/kept.cfg');
    await merge('cfg', 'left4dead2/cfg', { replace: true });
    expect(await files()).toMatchObject({ 'left4dead2/cfg/server.cfg': 'new', 'left4dead2/cfg/a.cfg': 'a' });
  });

  it('may go into the folder it is in, also when that has its name', async () => {
    await tree({ 'left4dead2/left4dead2/cfg/a.cfg': 'a', 'left4dead2/left4dead2/left4dead2/b': 'b' });
    await merge('left4dead2/left4dead2', 'left4dead2');
    expect(await files()).toMatchObject({ 'left4dead2/cfg/a.cfg': 'a', 'left4dead2/left4dead2/b': 'b' });
  });
});
