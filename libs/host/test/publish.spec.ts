import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { removeTree } from '../src/overlay/remove-tree.js';
import { openTestHost, recordingRun, writeTree } from './support/fixture.js';

describe('publishing a draft', () => {
  it('copies files, folders, links that stay inside and execute bits; a later draft does not change it', async () => {
    const { host, root, run } = await openTestHost();
    const draft = join(root, 'drafts/3');
    await writeTree(draft, { 'left4dead2/cfg/a.cfg': 'a', 'left4dead2/addons/tool.sh': '#!/bin/sh' });
    await chmod(join(draft, 'left4dead2/addons/tool.sh'), 0o4777);
    await mkdir(join(draft, 'empty'));
    await symlink('../cfg/a.cfg', join(draft, 'left4dead2/addons/link'));
    const result = await host.publish({ overlay: 3, revision: 1 }, run);
    expect(result).toMatchObject({ unchanged: false, files: 2, bytes: 10 });
    await writeFile(join(draft, 'left4dead2/cfg/a.cfg'), 'changed in place');
    const published = join(root, 'overlays/3/1');
    expect((await readdir(published, { recursive: true })).sort()).toEqual([
      'empty',
      'left4dead2',
      'left4dead2/addons',
      'left4dead2/addons/link',
      'left4dead2/addons/tool.sh',
      'left4dead2/cfg',
      'left4dead2/cfg/a.cfg',
    ]);
    expect(await readFile(join(published, 'left4dead2/cfg/a.cfg'), 'utf8')).toBe('a');
    expect(await readlink(join(published, 'left4dead2/addons/link'))).toBe('../cfg/a.cfg');
    expect((await lstat(join(published, 'left4dead2/addons/tool.sh'))).mode & 0o7777).toBe(0o755);
    expect((await lstat(join(published, 'left4dead2/cfg/a.cfg'))).mode & 0o7777).toBe(0o644);
    expect((await lstat(join(published, 'left4dead2/cfg/a.cfg'))).ino).not.toBe(
      (await lstat(join(draft, 'left4dead2/cfg/a.cfg'))).ino,
    );
  });

  it('publishes nothing when the content is the same as before', async () => {
    const { host, root, run } = await openTestHost();
    await writeTree(join(root, 'drafts/3'), { 'a.txt': 'a', 'b/c.txt': 'c' });
    const first = await host.publish({ overlay: 3, revision: 10 }, run);
    const again = await host.publish({ overlay: 3, revision: 11, previous: 10 }, run);
    expect(again).toEqual({ ...first, unchanged: true });
    expect((await readdir(join(root, 'overlays/3'))).sort()).toEqual(['10', '10.json', '10.manifest']);
    await chmod(join(root, 'drafts/3/a.txt'), 0o755);
    expect(await host.publish({ overlay: 3, revision: 12, previous: 10 }, run)).toMatchObject({ unchanged: false });
    await host.removeRevision(3, 10);
    await host.removeRevision(3, 10);
    expect((await readdir(join(root, 'overlays/3'))).sort()).toEqual(['12', '12.json', '12.manifest']);
    // Killed in the middle of removing it: what is beside the folder is not forgotten.
    await removeTree(join(root, 'overlays/3/12'));
    expect(await host.publishedRevisions(3)).toEqual([12]);
    await host.removeRevision(3, 12);
    expect(await readdir(join(root, 'overlays/3'))).toEqual([]);
    // Compared with a revision that is gone, content counts as new.
    expect(await host.publish({ overlay: 3, revision: 13, previous: 10 }, run)).toMatchObject({ unchanged: false });
  });

  it('follows no link, and leaves out links that lead outside and what is not a file', async () => {
    const { host, root, run, said } = await openTestHost();
    await writeFile(join(root, 'secret'), 'SECRET_KEY');
    const draft = join(root, 'drafts/3');
    await writeTree(draft, { 'a/b/c.txt': 'c' });
    const links = {
      absolute: '/etc/passwd',
      outside: '../../secret',
      'a/outside': '../../x',
      'a/winding': 'b/../../..',
      'a/fine': '../a/b/c.txt',
      'a/dangling': 'nothing-here',
    };
    for (const [path, target] of Object.entries(links)) await symlink(target, join(draft, path));
    execFileSync('mkfifo', [join(draft, 'fifo')]);
    execFileSync('mknod', [join(draft, 'whiteout'), 'c', '0', '0']);
    const { files } = await host.publish({ overlay: 3, revision: 1 }, run);
    expect(files).toBe(1);
    expect((await readdir(join(root, 'overlays/3/1'), { recursive: true })).sort()).toEqual([
      'a',
      'a/b',
      'a/b/c.txt',
      'a/dangling',
      'a/fine',
    ]);
    for (const path of ['absolute', 'outside', 'a/outside', 'a/winding', 'fifo', 'whiteout']) {
      expect(said.some((line) => line.startsWith(`left out "${path}"`))).toBe(true);
    }
  });

  it.each([
    ['draft', 'drafts'],
    ['build', 'builds'],
  ] as const)('copies no extended attribute of a %s: a forged whiteout stays a file', async (source, folder) => {
    const { host, root, run } = await openTestHost();
    await writeTree(join(root, folder, '3'), { 'forged.txt': 'x' });
    const set =
      "import os,sys; os.setxattr(sys.argv[1], 'user.overlay.whiteout', b'y'); print(os.listxattr(sys.argv[1]))";
    const list = 'import os,sys; print(os.listxattr(sys.argv[1]))';
    const python = (code: string, path: string): string =>
      execFileSync('python3', ['-c', code, path], { encoding: 'utf8' }).trim();
    if (!hasPython()) return;
    expect(python(set, join(root, folder, '3/forged.txt'))).toBe("['user.overlay.whiteout']");
    await host.publish({ overlay: 3, revision: 1, source }, run);
    expect(python(list, join(root, 'overlays/3/1/forged.txt'))).toBe('[]');
  });

  it('refuses what could not be shown or removed again, with the path, and leaves nothing', async () => {
    const { host, root, run } = await openTestHost();
    const deep = 'import os,sys; os.chdir(sys.argv[1])\nfor i in range(300): os.mkdir("d" * 20); os.chdir("d" * 20)';
    const trees: [(draft: string) => void, RegExp][] = [
      [
        (draft) => execFileSync('python3', ['-c', deep, draft]),
        /^"(d{20}\/)+d*…[d/]+": the path is longer than 2048 bytes$/,
      ],
      [(draft) => writeFileSync(join(draft, 'a\nb'), ''), /^"a\\nb": the path must not contain control characters$/],
      [
        (draft) => writeFileSync(Buffer.concat([Buffer.from(`${draft}/x`), Buffer.from([0xff])]), ''),
        /^"x\ufffd": the name is not UTF-8$/,
      ],
    ];
    for (const [make, message] of trees) {
      await removeTree(join(root, 'drafts/3'));
      await writeTree(join(root, 'drafts/3'), { 'fine.txt': '' });
      make(join(root, 'drafts/3'));
      const refused = { code: 'path-refused', message: expect.stringMatching(message) };
      await expect(host.publish({ overlay: 3, revision: 1 }, run)).rejects.toMatchObject(refused);
      expect(await readdir(join(root, 'overlays/3'))).toEqual([]);
    }
    await removeTree(join(root, 'drafts/3'));
    await writeTree(join(root, 'drafts/3'), { [`${'d'.repeat(200)}/${'e'.repeat(200)}/größe ☃.txt`]: 'x' });
    expect(await host.publish({ overlay: 3, revision: 1 }, run)).toMatchObject({ files: 1 });
  });

  it('leaves nothing when it is interrupted, and says what is missing or there already', async () => {
    const { host, root, run } = await openTestHost();
    await expect(host.publish({ overlay: 4, revision: 1 }, run)).rejects.toMatchObject({ code: 'not-found' });
    await writeTree(join(root, 'drafts/3'), { 'a.txt': 'a', 'b.txt': 'b' });
    const stop = new AbortController();
    const interrupted = recordingRun(stop.signal).run;
    interrupted.output.progress = () => stop.abort();
    await expect(host.publish({ overlay: 3, revision: 1 }, interrupted)).rejects.toMatchObject({ code: 'interrupted' });
    expect(await readdir(join(root, 'overlays/3'))).toEqual([]);
    await host.publish({ overlay: 3, revision: 1 }, run);
    await expect(host.publish({ overlay: 3, revision: 1 }, run)).rejects.toMatchObject({ code: 'path-refused' });
    await expect(host.publish({ overlay: 3, revision: 0 }, run)).rejects.toMatchObject({ code: 'invalid-name' });
  });
});

function hasPython(): boolean {
  try {
    execFileSync('python3', ['-c', 'import os; os.setxattr'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
