import { execFileSync } from 'node:child_process';
import { chmod, chown, mkdir, readFile, readdir, rm, rmdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ServerRuns } from '../src/errors.js';
import { InstanceFolder } from '../src/instances/instance-folder.js';
import { Trash } from '../src/instances/trash.js';
import { makeRevision, makeSpec, openTestHost, writeTree, type TestHost } from './support/fixture.js';

/** An instance that has written files of its own and was deleted with them. */
async function deleted(test: TestHost, name: string, path: string, files: Record<string, string>): Promise<void> {
  await test.host.initialize(name, makeSpec(), test.run);
  await writeTree(join(test.root, 'instances', name, 'upper'), files);
  await test.host.delete(name, path, test.run);
}

const upper = (test: TestHost, name: string, path: string): string => join(test.root, 'instances', name, 'upper', path);

describe('what a deleted server wrote', () => {
  it('is told of by its record, and comes back under another name', async () => {
    const test = await openTestHost();
    const { host, run } = test;
    await deleted(test, 'one', '3/12', { 'left4dead2/stats.sq3': 'x'.repeat(5000), 'banned_user.cfg': 'banid 0' });
    const [entry, ...others] = await host.trash.entries();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ path: '3/12', server: 'one', files: 2 });
    expect(entry?.bytes).toBeGreaterThanOrEqual(5000);
    expect(Math.abs(Date.parse(entry?.deletedAt ?? '') - Date.now())).toBeLessThan(60_000);

    await host.initialize('two', makeSpec(), run);
    const { restored, trashed } = await host.restore('two', { from: '3/12', trash: '4/13' }, run);
    expect({ restored, trashed }).toEqual({ restored: true, trashed: null });
    expect(await readFile(upper(test, 'two', 'banned_user.cfg'), 'utf8')).toBe('banid 0');
    expect(await host.trash.entries()).toEqual([]);
    expect(await readdir(join(test.root, 'trash'))).toEqual([]);
    // Asked for once more it is not there, and what was restored stays.
    expect(await host.restore('two', { from: '3/12', trash: '4/14' }, run)).toMatchObject({ restored: false });
    expect(await readFile(upper(test, 'two', 'banned_user.cfg'), 'utf8')).toBe('banid 0');
  });

  it('does not take the place of what another has written: that is put away before', async () => {
    const test = await openTestHost();
    const { host, run } = test;
    await deleted(test, 'one', '3/12', { 'a.txt': 'old' });
    await host.initialize('one', makeSpec(), run);
    await writeTree(join(test.root, 'instances/one/upper'), { 'a.txt': 'new', 'b.txt': 'new' });
    const { trashed } = await host.restore('one', { from: '3/12', trash: '3/15' }, run);
    expect(trashed).toMatchObject({ path: '3/15', server: 'one', files: 2 });
    expect(await readdir(upper(test, 'one', ''))).toEqual(['a.txt']);
    expect(await readFile(upper(test, 'one', 'a.txt'), 'utf8')).toBe('old');
    expect((await host.trash.entries()).map(({ path }) => path)).toEqual(['3/15']);
  });

  it('comes with its copies that gave way to changed layers', async () => {
    const test = await openTestHost();
    const { host, run, root } = test;
    await host.initialize('one', makeSpec(), run);
    await writeTree(join(root, 'instances/one'), { 'upper/a.txt': 'own', 'replaced/7/b.txt': 'gave way' });
    const { trashed } = await host.delete('one', '3/12', run);
    expect(trashed).toMatchObject({ path: '3/12', files: 2 });
    // A kill between the two renames of a delete leaves the one without the other: that is put away by the next.
    await host.initialize('one', makeSpec(), run);
    await writeTree(join(root, 'instances/one'), { 'replaced/8/c.txt': 'left behind' });
    await rmdir(upper(test, 'one', ''));
    expect((await host.delete('one', '3/13', run)).trashed).toMatchObject({ path: '3/13', files: 1 });
    for (const path of ['3/12', '3/13']) {
      await host.initialize('one', makeSpec(), run);
      await host.restore('one', { from: path, trash: path.replace('1', '31') }, run);
    }
    expect(await readFile(join(root, 'instances/one/replaced/8/c.txt'), 'utf8')).toBe('left behind');
    expect((await host.trash.entries()).map(({ path, files }) => `${path} ${files}`)).toEqual(['3/313 2']);
    expect(await readFile(join(root, 'trash/3/313/replaced/7/b.txt'), 'utf8')).toBe('gave way');
  });

  it('stays together when a restore is killed between its two renames', async () => {
    const test = await openTestHost();
    const { host, run, root } = test;
    await host.initialize('one', makeSpec(), run);
    await writeTree(join(root, 'instances/one'), { 'upper/a.txt': 'own', 'replaced/7/b.txt': 'gave way' });
    await host.delete('one', '3/12', run);
    await host.initialize('one', makeSpec(), run);
    // Its second rename fails, as if it had not come to it.
    await writeTree(upper(test, 'one', ''), { 'in-the-way.txt': '' });
    await expect(new Trash(root).take('3/12', new InstanceFolder(root, 'one'))).rejects.toThrow('ENOTEMPTY');
    await rm(upper(test, 'one', 'in-the-way.txt'));
    const { trashed } = await host.restore('one', { from: '3/12', trash: '3/13' }, run);
    expect(trashed).toBeNull();
    expect(await readFile(upper(test, 'one', 'a.txt'), 'utf8')).toBe('own');
    expect(await readFile(join(root, 'instances/one/replaced/7/b.txt'), 'utf8')).toBe('gave way');
    expect(await host.trash.entries()).toEqual([]);
  });

  it('is not restored into a server that runs, or that is not there', async () => {
    const test = await openTestHost();
    const { host, run } = test;
    await deleted(test, 'one', '3/12', { 'a.txt': 'old' });
    await expect(host.restore('one', { from: '3/12', trash: '3/16' }, run)).rejects.toThrow('not been initialized');
    await host.initialize('one', makeSpec(), run);
    await host.start('one', run);
    await expect(host.restore('one', { from: '3/12', trash: '3/16' }, run)).rejects.toThrow(ServerRuns);
    expect(await readdir(upper(test, 'one', ''))).toEqual([]);
    expect(await host.trash.entries()).toHaveLength(1);
  });

  it('is among the copies again where the layers are copied', async () => {
    const test = await openTestHost({ isolation: 'copy' });
    const { host, run, root } = test;
    const overlay = await makeRevision(root, '1/1', { 'cfg/shared.cfg': 'layer', 'cfg/changed.cfg': 'layer' });
    const copy = join(root, 'instances/one/copy');
    const startAndStop = async (): Promise<void> => {
      await host.initialize('one', makeSpec({ overlays: [overlay] }), run);
      await host.start('one', run);
      await host.stop('one', run);
    };
    await startAndStop();
    await writeTree(copy, { 'cfg/changed.cfg': 'the server', 'stats/own.sq3': 'the server' });
    await host.delete('one', '3/12', run);
    await startAndStop();
    await writeFile(join(copy, 'cfg/changed.cfg'), 'between');
    await host.restore('one', { from: '3/12', trash: '3/17' }, run);
    // Twice: composing again keeps them, too.
    for (let i = 0; i < 2; i++) {
      await startAndStop();
      expect(await readFile(join(copy, 'cfg/changed.cfg'), 'utf8')).toBe('the server');
      expect(await readFile(join(copy, 'stats/own.sq3'), 'utf8')).toBe('the server');
      expect(await readFile(join(copy, 'cfg/shared.cfg'), 'utf8')).toBe('layer');
    }
    expect(await readFile(join(root, 'trash/3/17/files/cfg/changed.cfg'), 'utf8')).toBe('between');
  });

  it("is the server's to change after it was restored, where the layers are copied", async () => {
    const test = await openTestHost({ isolation: 'copy' });
    const { host, run, root } = test;
    const copy = join(root, 'instances/one/copy');
    const startAndStop = async (): Promise<void> => {
      await host.start('one', run);
      await host.stop('one', run);
    };
    await deleted(test, 'one', '3/12', { 'data/inner/a.txt': 'restored', 'gone/b.txt': 'restored' });
    await host.initialize('one', makeSpec(), run);
    await host.restore('one', { from: '3/12', trash: '3/13' }, run);
    await startAndStop();
    expect(await readFile(join(copy, 'data/inner/a.txt'), 'utf8')).toBe('restored');
    for (const path of ['data', 'gone']) await rm(join(copy, path), { recursive: true });
    await writeFile(join(copy, 'data'), 'a file now');
    await startAndStop();
    expect(await readFile(join(copy, 'data'), 'utf8')).toBe('a file now');
    expect(await readdir(copy)).not.toContain('gone');
    expect((await host.delete('one', '3/14', run)).trashed).toMatchObject({ path: '3/14', files: 1 });
    expect(await readFile(join(root, 'trash/3/14/files/data'), 'utf8')).toBe('a file now');
  });

  it.each(['namespaces', 'copy'] as const)(
    'has names that are not UTF-8, where servers are made by %s',
    async (isolation) => {
      const test = await openTestHost({ isolation });
      const { host, run, root } = test;
      const own = join(root, 'instances/one', isolation === 'copy' ? 'copy' : 'upper');
      const named = (folder: string, file: string): Buffer =>
        Buffer.concat([Buffer.from(`${join(folder, file)} J`), Buffer.from([0xc3]), Buffer.from('.dem')]);
      const startAndStop = async (): Promise<void> => {
        await host.initialize('one', makeSpec(), run);
        await host.start('one', run);
        await host.stop('one', run);
      };
      await startAndStop();
      await writeTree(own, { 'left4dead2/own.txt': 'own' });
      await writeFile(named(own, 'left4dead2/demo'), 'of the server');
      await startAndStop();
      expect((await host.delete('one', '3/12', run)).trashed).toMatchObject({ path: '3/12', files: null });
      await startAndStop();
      await host.restore('one', { from: '3/12', trash: '3/13' }, run);
      await startAndStop();
      expect(await readFile(named(own, 'left4dead2/demo'), 'utf8')).toBe('of the server');
      expect(await readFile(join(own, 'left4dead2/own.txt'), 'utf8')).toBe('own');
    },
  );

  it('is put away also when it cannot be counted: folders below each other without end', async () => {
    const test = await openTestHost();
    const { host, run, root } = test;
    await host.initialize('one', makeSpec(), run);

    // Longer than any path may be, made as a server in its own folder can make it.
    const before = process.cwd();
    process.chdir(upper(test, 'one', ''));
    try {
      for (let depth = 0; depth < 25; depth++) {
        const name = 'n'.repeat(200);
        await mkdir(name);
        process.chdir(name);
      }
    } finally {
      process.chdir(before);
    }
    const { trashed } = await host.delete('one', '3/12', run);
    expect(trashed).toMatchObject({ files: null, bytes: null });
    await host.trash.purge('3/12');
    expect(await readdir(join(root, 'trash'))).toEqual([]);
  });
});

describe('the trash', () => {
  it('is purged without a trace, and a missing entry is a success', async () => {
    const test = await openTestHost();
    const { host, root } = test;
    await deleted(test, 'one', '3/12', { 'a.txt': 'old' });
    await deleted(test, 'one', '3/13', { 'a.txt': 'older' });
    await host.trash.purge('3/12');
    expect((await host.trash.entries()).map(({ path }) => path)).toEqual(['3/13']);
    await host.trash.purge('3/13');
    await host.trash.purge('3/13');
    expect(await readdir(join(root, 'trash'))).toEqual([]);
    await expect(host.trash.purge('../instances')).rejects.toThrow('not a valid trash folder');
    await expect(host.trash.purge('3/..')).rejects.toThrow('not a valid trash folder');
  });

  it('heals what a kill leaves: a record without files, files without a record, a half removed tree', async () => {
    const test = await openTestHost();
    const { host, root } = test;
    await writeTree(join(root, 'trash'), {
      '3/12/entry.json': '{}',
      '3/13/files/a.txt': 'old',
      '4/1/files/a.txt': 'old',
      '4/1/entry.json': 'half writt',
      '.tmp-0123/left4dead2/half.txt': 'removed',
      'notes.txt': 'left here by somebody',
    });
    const unknown = { files: null, bytes: null, deletedAt: expect.any(String) };
    expect(await host.trash.entries()).toEqual([
      { path: '3/13', server: '3', ...unknown },
      { path: '4/1', server: '4', ...unknown },
    ]);
    const longAgo = new Date(Date.now() - 2 * 3600_000);
    await utimes(join(root, 'trash/3/12'), longAgo, longAgo);
    await host.trash.tidy();
    expect((await readdir(join(root, 'trash'), { recursive: true })).sort()).toEqual(
      [
        '3',
        '3/13',
        '3/13/files',
        '3/13/files/a.txt',
        '4',
        '4/1',
        '4/1/entry.json',
        '4/1/files',
        '4/1/files/a.txt',
        'notes.txt',
      ].sort(),
    );
  });

  it.runIf(process.getuid?.() === 0)(
    'keeps what cannot be removed as an entry, and removes what is left over beside it',
    async () => {
      const { root } = await openTestHost();
      await writeTree(join(root, 'trash'), {
        '3/12/files/ours/a.txt': 'of another user',
        '.tmp-0123/ours/a.txt': 'of another user',
        '.tmp-4567/b.txt': 'left over',
      });
      // Root may remove anything; whoever the panel runs as may not empty folders of others.
      const nobody = 65_534;
      for (const path of ['', '3', '3/12', '3/12/files', '.tmp-0123', '.tmp-4567']) {
        await chown(join(root, 'trash', path), nobody, nobody);
      }
      await chmod(root, 0o755);
      const program = `
      const { Trash } = await import(${JSON.stringify(new URL('../dist/instances/trash.js', import.meta.url).href)});
      const trash = new Trash(process.argv[1]);
      const failed = async (work) => console.log(await work.then(() => 'done', (error) => error.message.replaceAll(/ '.*?'/g, '')));
      await failed(trash.purge('3/12'));
      await failed(trash.tidy());
      console.log((await trash.entries()).map(({ path }) => path).join());`;
      const asNobody = ['--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', process.execPath];
      const said = execFileSync('setpriv', [...asNobody, '--input-type=module', '-e', program, root], {
        encoding: 'utf8',
      });
      expect(said.trim().split('\n')).toEqual([
        'EACCES: permission denied, unlink',
        'Error: EACCES: permission denied, unlink',
        '3/12',
      ]);
      expect((await readdir(join(root, 'trash'))).sort()).toEqual(['.tmp-0123', '3']);
    },
  );

  it('takes a folder whose number was given out before for another', async () => {
    const test = await openTestHost();
    await deleted(test, 'one', '3/12', { 'a.txt': 'of an earlier database' });
    await deleted(test, 'two', '3/12', { 'a.txt': 'of this one' });
    const entries = await test.host.trash.entries();
    expect(entries.map(({ path, server }) => `${path} ${server}`)).toEqual(['3/12 one', '3/12-2 two']);
  });
});
