import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeWhiteout } from '../src/overlay/whiteouts.js';
import { asUser } from './support/as-user.js';
import { makeRevision, makeSpec, openTestHost, statusOf, writeTree } from './support/fixture.js';

describe('without user namespaces', () => {
  it('the host says so, and why', async () => {
    const { host } = await openTestHost({ isolation: 'copy' });
    expect(host.facts).toMatchObject({ isolation: 'copy', isolationReason: 'asked for' });
  });

  it('the layers are copied as overlayfs would merge them, sharing no file', async () => {
    const { host, run, root } = await openTestHost({ isolation: 'copy' });
    const low = await makeRevision(root, '1/1', {
      'a.txt': 'low',
      'b.txt': 'low',
      'dir/x.txt': 'x',
      'was-dir/y.txt': 'y',
    });
    const high = await makeRevision(root, '2/1', { 'b.txt': 'high', 'dir/z.txt': 'z', 'was-dir': 'a file now' });
    const files = [{ path: 'left4dead2/cfg/server.cfg', content: 'generated' }];
    await host.initialize('one', makeSpec({ overlays: [high, low], files, hide: ['left4dead2/stock.txt'] }), run);
    await host.start('one', run);
    const copy = join(root, 'instances/one/copy');
    expect((await readdir(copy, { recursive: true })).sort()).toEqual([
      'a.txt',
      'b.txt',
      'dir',
      'dir/x.txt',
      'dir/z.txt',
      'left4dead2',
      'left4dead2/cfg',
      'left4dead2/cfg/server.cfg',
      'srcds_run',
      'was-dir',
    ]);
    expect(await readFile(join(copy, 'b.txt'), 'utf8')).toBe('high');
    expect((await lstat(join(copy, 'a.txt'))).nlink).toBe(1);
  });

  it('a new composition keeps what the server wrote and deleted, and brings what changed below', async () => {
    const { host, run, root } = await openTestHost({ isolation: 'copy' });
    const first = await makeRevision(root, '1/1', {
      'changed.txt': '1',
      'kept.txt': 'same',
      'gone.txt': '1',
      'deleted.txt': 'same',
    });
    const second = await makeRevision(root, '1/2', {
      'changed.txt': '2',
      'kept.txt': 'same',
      'deleted.txt': 'same',
      'new.txt': '2',
    });
    await host.initialize('one', makeSpec({ overlays: [first] }), run);
    await host.start('one', run);
    await host.stop('one', run);
    const copy = join(root, 'instances/one/copy');
    await writeFile(join(copy, 'kept.txt'), 'by the server');
    await writeFile(join(copy, 'own.txt'), 'by the server');
    await rm(join(copy, 'deleted.txt'));
    for (let i = 0; i < 2; i++) {
      await host.initialize('one', makeSpec({ overlays: [second] }), run);
      await host.start('one', run);
      await host.stop('one', run);
      const read = async (path: string): Promise<string> => readFile(join(copy, path), 'utf8');
      expect(await read('changed.txt')).toBe('2');
      expect(await read('new.txt')).toBe('2');
      expect(await read('kept.txt')).toBe('by the server');
      expect(await read('own.txt')).toBe('by the server');
      expect(await readdir(copy)).not.toContain('gone.txt');
      expect(await readdir(copy)).not.toContain('deleted.txt');
    }
    expect(await readFile(join(root, 'overlays/1/2/kept.txt'), 'utf8')).toBe('same');
    await host.delete('one', 'one/5', run);
    expect((await readdir(join(root, 'trash/one/5/files'))).sort()).toEqual(['kept.txt', 'own.txt']);
    expect((await statusOf(host, 'one')).state).toBe('absent');
  });

  it("gives way to the server's deletion where a layer has a folder", async () => {
    const { host, run, root } = await openTestHost({ isolation: 'copy' });
    const first = await makeRevision(root, '1/1', { 'folder/a.txt': '1', 'removed/a.txt': '1' });
    const second = await makeRevision(root, '1/2', { 'folder/b.txt': '2', 'removed/b.txt': '2' });
    await host.initialize('one', makeSpec({ overlays: [first] }), run);
    await host.start('one', run);
    await host.stop('one', run);
    const copy = join(root, 'instances/one/copy');
    await rm(join(copy, 'removed'), { recursive: true });
    await host.initialize('one', makeSpec({ overlays: [second] }), run);
    await host.start('one', run);
    expect(
      (await readdir(copy, { recursive: true })).filter((path) => !/^left4dead2|^srcds/.test(path)).sort(),
    ).toEqual(['folder', 'folder/b.txt']);
  });

  it('a composition that was interrupted is finished by the next one', async () => {
    const { host, run, root } = await openTestHost({ isolation: 'copy' });
    const overlay = await makeRevision(root, '1/1', { 'a.txt': 'right' });
    await host.initialize('one', makeSpec({ overlays: [overlay] }), run);
    await host.start('one', run);
    await host.stop('one', run);
    const manifest = join(root, 'instances/one/copy.json');
    const saved: { entries: Record<string, unknown>; writing: string[] } = JSON.parse(await readFile(manifest, 'utf8'));
    delete saved.entries['a.txt'];
    await writeFile(manifest, JSON.stringify({ ...saved, writing: ['a.txt'] }));
    await writeFile(join(root, 'instances/one/copy/a.txt'), 'half');
    await host.start('one', run);
    expect(await readFile(join(root, 'instances/one/copy/a.txt'), 'utf8')).toBe('right');
  });

  it('what a server wrote in folders that it closed goes to the trash, and comes back', async () => {
    const { host, run, root } = await openTestHost({ isolation: 'copy' });
    const overlay = await makeRevision(root, '1/1', { 'shipped/a.txt': 'layer' });
    const copy = join(root, 'instances/one/copy');
    await host.initialize('one', makeSpec({ overlays: [overlay] }), run);
    asUser(root, 'start', 'copy');
    await writeTree(copy, { 'shipped/own.txt': 'own', 'closed/inner/own.txt': 'own' });
    const unnamed = Buffer.concat([Buffer.from(`${copy}/K`), Buffer.of(0xe4)]);
    await mkdir(unnamed);
    await writeFile(Buffer.concat([unnamed, Buffer.from('/own.txt')]), 'own');
    for (const path of ['shipped', 'closed/inner', 'closed']) await chmod(join(copy, path), 0o000);
    await chmod(unnamed, 0o500);
    asUser(root, 'delete', 'copy');
    const trashed = join(root, 'trash/3/12/files');
    const named = ['closed', 'closed/inner', 'closed/inner/own.txt', 'shipped', 'shipped/own.txt'];
    expect((await readdir(trashed, { recursive: true })).filter((path) => named.includes(path)).sort()).toEqual(named);
    expect(await readdir(trashed)).toHaveLength(3);

    await host.initialize('one', makeSpec({ overlays: [overlay] }), run);
    await host.restore('one', { from: '3/12', trash: '3/13' }, run);
    const upper = join(root, 'instances/one/upper');
    await chmod(join(upper, 'closed'), 0o000);
    asUser(root, 'start', 'copy');
    expect(await readFile(join(copy, 'closed/inner/own.txt'), 'utf8')).toBe('own');
    expect(await readdir(upper)).toEqual([]);
  });

  it('what a server deleted without the fallback, and is restored into it, stays deleted', async () => {
    const { host, run, root } = await openTestHost({ isolation: 'copy' });
    const overlay = await makeRevision(root, '1/1', {
      'data/a.txt': 'layer',
      'data/b.txt': 'layer',
      'gone/c.txt': 'layer',
    });
    const [copy, upper] = [join(root, 'instances/one/copy'), join(root, 'instances/one/upper')];
    const startAndStop = async (): Promise<void> => {
      await host.start('one', run);
      await host.stop('one', run);
    };
    await host.initialize('one', makeSpec({ overlays: [overlay] }), run);
    await writeTree(join(root, 'trash/3/12/files'), { 'data/own.txt': 'own' });
    await makeWhiteout(join(root, 'trash/3/12/files/data/a.txt'));
    await makeWhiteout(join(root, 'trash/3/12/files/gone'));
    execFileSync('mkfifo', [join(root, 'trash/3/12/files/data/pipe')]);
    await host.restore('one', { from: '3/12', trash: '3/13' }, run);
    for (let i = 0; i < 2; i++) {
      await startAndStop();
      expect((await readdir(join(copy, 'data'))).sort()).toEqual(['b.txt', 'own.txt']);
      expect(await readdir(copy)).not.toContain('gone');
      expect(await readdir(upper)).toEqual([]);
    }
    // What it makes of the folder later is its own, and can be put away.
    await rm(join(copy, 'data'), { recursive: true });
    await writeFile(join(copy, 'data'), 'a file now');
    await mkdir(join(copy, 'gone'));
    await startAndStop();
    expect(await readFile(join(copy, 'data'), 'utf8')).toBe('a file now');
    await host.delete('one', '3/14', run);
    expect((await readdir(join(root, 'trash/3/14/files'))).sort()).toEqual(['data', 'gone']);
  });
});
