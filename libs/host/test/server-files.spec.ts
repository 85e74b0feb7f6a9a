import { appendFile, readFile, readdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FilePart, InvalidName, type LayeredEntry } from '../src/index.js';
import { InstanceTurns } from '../src/instances/instance-turns.js';
import { eventually, makeRevision, makeSpec, openTestHost, type TestHost, writeTree } from './support/fixture.js';

async function everything({ host }: TestHost, name: string): Promise<Map<string, LayeredEntry>> {
  const found = new Map<string, LayeredEntry>();
  for await (const entry of host.files.walk(name, '')) if (!('why' in entry)) found.set(entry.path, entry);
  return found;
}

async function contentOf({ host }: TestHost, name: string, path: string): Promise<string> {
  const { file } = await host.files.open(name, path);
  return file.readFile('utf8').finally(() => void file.close());
}

/** A stopped server that has run once, with an overlay, and the folder that it writes to. */
async function stoppedServer(isolation: 'namespaces' | 'copy'): Promise<TestHost & { own: string }> {
  const test = await openTestHost({ isolation });
  const overlay = await makeRevision(test.root, '1/1', {
    'left4dead2/a.txt': 'overlay',
    'left4dead2/b.txt': 'overlay',
  });
  const files = [{ path: 'left4dead2/cfg/server.cfg', content: 'rcon_password hunter2\n' }];
  await test.host.initialize('one', makeSpec({ overlays: [overlay], files, hide: ['left4dead2/stock.txt'] }), test.run);
  await test.host.start('one', test.run);
  await test.host.stop('one', test.run);
  return { ...test, own: join(test.root, 'instances/one', isolation === 'copy' ? 'copy' : 'upper') };
}

it('what is shipped is told for overlays and a build, whichever servers there are', async () => {
  const { host, root } = await openTestHost({ isolation: 'namespaces' });
  const overlays = [
    await makeRevision(root, '1/1', { 'left4dead2/a.txt': 'x', 'left4dead2/cfg': 'a file here' }),
    await makeRevision(root, '2/3', { 'left4dead2/cfg/b.cfg': 'x' }),
  ];
  await symlink('a.txt', join(root, 'overlays/1/1/left4dead2/link'));
  const shipped = (path: string) => host.files.isShipped({ overlays, build: 'test-1' }, path);
  for (const path of ['srcds_run', 'left4dead2', 'left4dead2/a.txt', 'left4dead2/link'])
    expect(await shipped(path), path).toBe(true);
  for (const path of [
    'left4dead2/A.txt',
    'left4dead2/a.txt/x',
    'left4dead2/cfg/b.cfg',
    'left4dead2/link/x',
    'none/here',
  ])
    expect(await shipped(path), path).toBe(false);
  await expect(shipped('../installation')).rejects.toMatchObject({ code: 'path-refused' });
  for (const wrong of [{ overlays: ['../drafts'] }, { build: '..' }])
    await expect(host.files.isShipped({ overlays, build: 'test-1', ...wrong }, 'x')).rejects.toBeInstanceOf(
      InvalidName,
    );
});

describe.each(['namespaces', 'copy'] as const)('the files of a server with %s', (isolation) => {
  it('tell where each comes from and what the server wrote, which alone can be deleted', async () => {
    const test = await stoppedServer(isolation);
    const { host, own, root, run } = test;
    await writeTree(own, {
      'left4dead2/a.txt': 'by the server',
      'left4dead2/logs/l1.log': 'line\n',
      'own.txt': '12345',
    });
    const entries = await everything(test, 'one');
    expect([...entries.keys()].sort()).toEqual([
      'left4dead2',
      'left4dead2/a.txt',
      'left4dead2/b.txt',
      'left4dead2/cfg',
      'left4dead2/cfg/server.cfg',
      'left4dead2/logs',
      'left4dead2/logs/l1.log',
      'own.txt',
      'srcds_run',
    ]);
    expect(entries.get('left4dead2/b.txt')?.layer).toEqual({ kind: 'overlay', of: '1/1' });
    expect(entries.get('srcds_run')?.layer).toEqual({ kind: 'game', of: 'test-1' });
    expect(entries.get('left4dead2/cfg/server.cfg')?.layer).toEqual({ kind: 'generated', of: null });
    const page = await host.files.list('one', 'left4dead2', { limit: 10 });
    expect(page.items.map(({ name, layer, hides }) => [name, layer.kind, hides])).toEqual([
      ['cfg', 'generated', []],
      ['logs', 'own', []],
      ['a.txt', 'own', [{ kind: 'overlay', of: '1/1' }]],
      ['b.txt', 'overlay', []],
    ]);
    expect(page.items.filter(({ merged }) => merged)).toEqual([]);
    const [folder] = (await host.files.list('one', '', { limit: 1 })).items;
    expect(folder).toMatchObject({ name: 'left4dead2', type: 'directory', merged: true, layer: { kind: 'own' } });
    const kept = { files: 1, paths: ['left4dead2/logs/l1.log'] };
    expect(await host.files.ownSize('one')).toEqual({ files: 3, bytes: 13 + 5 + 5, complete: true, kept });

    for (const path of ['left4dead2/b.txt', 'left4dead2/cfg/server.cfg']) {
      await expect(host.files.removeOwn('one', path)).rejects.toMatchObject({ code: 'path-refused' });
    }
    for (const path of ['../../one', '', 'left4dead2//a.txt', '/etc/passwd']) {
      await expect(host.files.removeOwn('one', path)).rejects.toMatchObject({ code: 'path-refused' });
    }
    await host.files.removeOwn('one', 'left4dead2/a.txt');
    expect(await readdir(join(root, 'instances/one'))).not.toContain('removed');
    // Of another removal, or of a worker that was killed after it had put something away.
    await writeTree(join(root, 'instances/one/removed'), { 'rest/file.txt': '' });
    await host.files.removeOwn('one', 'left4dead2/logs');
    expect(await readdir(join(root, 'instances/one/removed'), { recursive: true })).toEqual(['rest', 'rest/file.txt']);
    expect(await host.files.ownSize('one')).toMatchObject({ files: 1, bytes: 5, complete: true });
    await host.initialize('one', makeSpec({ overlays: ['1/1'] }), run);
    expect(await readdir(join(root, 'instances/one'))).not.toContain('removed');
    await host.start('one', run);
    await expect(host.files.removeOwn('one', 'own.txt')).rejects.toMatchObject({ code: 'instance-busy' });
    expect(await contentOf(test, 'one', 'left4dead2/a.txt')).toBe('overlay');
    expect((await everything(test, 'one')).has('left4dead2/logs')).toBe(false);
    expect(await contentOf(test, 'one', 'own.txt')).toBe('12345');
  });

  it('are counted at a path and below, with those that the server keeps whatever its layers bring', async () => {
    const { host, own } = await stoppedServer(isolation);
    const demos = Array.from({ length: 7 }, (_, i) => `left4dead2/d${i}.dem`);
    await writeTree(own, { 'left4dead2/a.txt': 'own', 'left4dead2/data/stats.sq3': '12345', 'own.txt': '' });
    await writeTree(own, Object.fromEntries(demos.map((path) => [path, 'demo'])));
    const size = (path: string) => host.files.ownSize('one', path);
    const none = { files: 0, bytes: 0, complete: true, kept: { files: 0, paths: [] } };
    const all = await size('left4dead2');
    expect(all).toMatchObject({ files: 9, bytes: 3 + 5 + 7 * 4, complete: true, kept: { files: 8 } });
    expect(all.kept.paths).toEqual(['left4dead2/data/stats.sq3', ...demos.slice(0, 4)]);
    const stats = { files: 1, bytes: 5, complete: true, kept: { files: 1, paths: ['left4dead2/data/stats.sq3'] } };
    expect(await size('left4dead2/data')).toEqual(stats);
    expect(await size('left4dead2/data/stats.sq3')).toEqual(stats);
    expect(await size('left4dead2/a.txt')).toEqual({ ...none, files: 1, bytes: 3 });
    for (const path of ['left4dead2/b.txt', 'left4dead2/cfg', 'none', 'own.txt/none']) {
      expect([path, await size(path)]).toEqual([path, none]);
    }
    for (const path of ['../one', '/etc', 'left4dead2//data']) {
      await expect(size(path)).rejects.toMatchObject({ code: 'path-refused' });
    }
    // Asked again it is as it is by then, and what cannot be shown is not passed over in silence.
    await writeFile(Buffer.concat([Buffer.from(`${own}/left4dead2/data/`), Buffer.of(0x6b, 0xe4)]), 'latin 1');
    expect(await size('left4dead2/data')).toEqual({ ...stats, complete: false });
    await host.files.removeOwn('one', 'left4dead2/data');
    expect(await size('left4dead2/data')).toEqual(none);
  });

  it('are never removed through a link that the server left', async () => {
    const { host, own, root } = await stoppedServer(isolation);
    await writeTree(join(root, 'outside'), { 'kept.txt': 'kept' });
    await symlink(join(root, 'outside'), join(own, 'link'));
    await expect(host.files.removeOwn('one', 'link/kept.txt')).rejects.toMatchObject({
      code: expect.stringMatching(/path-refused|not-found/),
    });
    await host.files.removeOwn('one', 'link');
    expect(await readdir(own)).not.toContain('link');
    expect(await readFile(join(root, 'outside/kept.txt'), 'utf8')).toBe('kept');
  });
});

describe('a server that was never initialized', () => {
  it('has no files, which is told', async () => {
    const { host } = await openTestHost();
    await expect(host.files.list('none', '', { limit: 1 })).rejects.toMatchObject({ code: 'not-initialized' });
    await expect(host.files.removeOwn('none', 'a')).rejects.toMatchObject({ code: 'not-initialized' });
    await expect(host.files.list('../etc', '', { limit: 1 })).rejects.toMatchObject({ code: 'invalid-name' });
  });
});

describe('a removal', () => {
  it('and an operation keep out of each other', async () => {
    const turns = new InstanceTurns();
    const order: string[] = [];
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const removing = turns.remove('one', async () => {
      await held;
      order.push('removed');
    });
    const starting = turns.operate('one', async () => void order.push('started'));
    await expect(turns.remove('one', async () => undefined)).rejects.toMatchObject({ code: 'instance-busy' });
    await turns.operate('two', async () => void order.push('another'));
    goOn();
    await Promise.all([removing, starting]);
    expect(order).toEqual(['another', 'removed', 'started']);
    const operating = turns.operate('one', () => held);
    await expect(turns.remove('one', async () => undefined)).rejects.toMatchObject({ code: 'instance-busy' });
    await operating;
    await turns.remove('one', async () => undefined);
  });
});

describe('following a file', () => {
  it('gives whole lines as they come, notices that it was emptied or replaced, and waits for one that is gone', async () => {
    const { host, own } = await stoppedServer('namespaces');
    const log = join(own, 'plugin.log');
    await writeFile(log, 'one\ntwo\nthr');
    const gone = new AbortController();
    const parts: FilePart[] = [];
    const text = () => parts.map(({ bytes, anew }) => `${anew ? '|' : ''}${bytes.toString()}`).join('');
    const following = (async () => {
      const request = { from: -7, before: 5, signal: gone.signal, lookMs: 20 };
      for await (const part of host.files.follow('one', 'plugin.log', request)) parts.push(part);
    })();
    const shown = (wanted: string) => eventually(async () => text() === wanted);
    await shown('two\nthr');
    await appendFile(log, 'ee\nfour\n');
    await shown('two\nthree\nfour\n');
    await truncate(log);
    await appendFile(log, 'anew\n');
    await shown('two\nthree\nfour\n|anew\n');
    await rename(log, `${log}.1`);
    await writeFile(log, 'rotated, and longer than before\n');
    await shown('two\nthree\nfour\n|anew\n|rotated, and longer than before\n');
    await rm(log);
    await new Promise((resolve) => setTimeout(resolve, 60));
    await writeFile(log, 'back\n');
    await shown('two\nthree\nfour\n|anew\n|rotated, and longer than before\n|back\n');
    gone.abort();
    await following;
    // Each part comes with the bytes before it, also where it was not begun at the file's beginning.
    expect(parts.map(({ before }) => before.toString())).toEqual(['one\n', '\ntwo\n', 'o\nthr', '', '', '']);
    const missing = host.files.follow('one', 'none.log', { from: 0, signal: gone.signal });
    await expect(missing[Symbol.asyncIterator]().next()).resolves.toMatchObject({ done: true });
    const other = new AbortController().signal;
    await expect(
      host.files.follow('one', 'none.log', { from: 0, signal: other })[Symbol.asyncIterator]().next(),
    ).rejects.toMatchObject({ code: 'not-found' });
  });
});
