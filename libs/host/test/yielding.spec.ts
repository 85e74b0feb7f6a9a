import { execFileSync } from 'node:child_process';
import { chmod, lstat, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Spec } from '../src/index.js';
import { Generations } from '../src/instances/generations.js';
import { InstanceFolder } from '../src/instances/instance-folder.js';
import { composeCopy } from '../src/launcher/copy-compose.js';
import { CommandRecords } from '../src/process/command-records.js';
import { CommandRunner } from '../src/process/command-runner.js';
import { layersOf } from '../src/trees/server-layers.js';
import { Adopter } from '../src/yielding/adopter.js';
import { KEPT_FILES } from '../src/yielding/kept-files.js';
import { asUser } from './support/as-user.js';
import {
  logWith,
  makeRevision,
  makeSpec,
  openTestHost,
  recordingRun,
  type TestHost,
  writeTree,
} from './support/fixture.js';

const CFG = 'left4dead2/cfg/server.cfg';

/** A server that is taken from one generation to the next without being launched in between, which takes most of a start's time. */
class Updated {
  private readonly folder: InstanceFolder;
  private readonly adopter: Adopter;

  private constructor(
    readonly test: TestHost,
    private readonly isolation: 'namespaces' | 'copy',
  ) {
    const { root } = test;
    this.folder = new InstanceFolder(root, 'one');
    const commands = new CommandRunner(isolation === 'namespaces', new CommandRecords(join(root, 'cache/commands')));
    const keptReplaced = { days: 2, bytes: 1024 ** 2 };
    this.adopter = new Adopter({ root, isolation, keptFiles: KEPT_FILES, keptReplaced }, commands);
  }

  static async make(
    first: Record<string, string>,
    second: Record<string, string>,
    isolation: 'namespaces' | 'copy' = 'namespaces',
  ): Promise<Updated> {
    const test = await openTestHost({ isolation });
    await makeRevision(test.root, '1/1', { 'pack.txt': 'pack', ...first });
    await makeRevision(test.root, '1/2', { 'pack.txt': 'pack', ...second });
    const updated = new Updated(test, isolation);
    await updated.runOn(['1/1'], '1');
    return updated;
  }

  /** @returns what adopting said about the server's own files */
  async runOn(overlays: string[], job: string, spec: Partial<Spec> = {}): Promise<string[]> {
    const { root, host } = this.test;
    const { run, said } = recordingRun();
    await host.initialize('one', makeSpec({ overlays, ...spec }), run);
    said.length = 0;
    const generations = new Generations(this.folder);
    const generation = await this.adopter.adopt(this.folder, generations, job, run);
    if (generation === null) throw new Error('nothing was adopted');
    const { shipped, hide } = layersOf(root, this.folder, generation, await generations.spec(generation));
    const layers = shipped.map((layer) => layer.folder);
    if (this.isolation === 'copy') await composeCopy(this.folder, { layers, hide, owner: null }, () => undefined);
    return said.filter((line) => /in the layers| stays: /.test(line));
  }

  /** Where what the server writes is. */
  own(path: string): string {
    return join(this.isolation === 'copy' ? this.folder.copy() : this.folder.upper(), path);
  }

  async write(files: Record<string, string>): Promise<void> {
    await writeTree(this.own(''), files);
  }

  replaced(path: string): Promise<string> {
    return readFile(join(this.folder.replaced(), path), 'utf8');
  }

  async hasOwn(path: string): Promise<boolean> {
    return lstat(this.own(path)).then(
      () => true,
      () => false,
    );
  }
}

describe.each(['namespaces', 'copy'] as const)('where servers are made by %s', (isolation) => {
  it('what a server wrote over a file gives way when the layers have another one, and nothing else does', async () => {
    const updated = await Updated.make(
      {
        'left4dead2/changed.cfg': '1',
        'left4dead2/same.cfg': 'same',
        'left4dead2/gone.cfg': '1',
        'left4dead2/stats.sq3': '1',
      },
      {
        'left4dead2/changed.cfg': '2',
        'left4dead2/same.cfg': 'same',
        'left4dead2/new.cfg': '2',
        'left4dead2/stats.sq3': '2',
      },
      isolation,
    );
    const files = ['changed.cfg', 'same.cfg', 'gone.cfg', 'new.cfg', 'stats.sq3', 'own.cfg'];
    await updated.write(Object.fromEntries(files.map((name) => [`left4dead2/${name}`, 'by the server'])));
    const said = await updated.runOn(['1/2'], '7');
    const named = (name: string) =>
      `"left4dead2/${name}" has changed in the layers: the server's own copy is in replaced/7/ now`;
    expect(said.toSorted()).toEqual([named('changed.cfg'), named('gone.cfg'), named('new.cfg')]);
    for (const name of ['changed.cfg', 'gone.cfg', 'new.cfg']) {
      expect(await updated.replaced(`7/left4dead2/${name}`)).toBe('by the server');
    }
    for (const name of ['same.cfg', 'stats.sq3', 'own.cfg']) {
      expect(await readFile(updated.own(`left4dead2/${name}`), 'utf8')).toBe('by the server');
    }
    expect(await updated.hasOwn('left4dead2/gone.cfg')).toBe(false);
    // Nothing has changed since.
    await updated.write({ 'left4dead2/changed.cfg': 'again by the server' });
    expect(await updated.runOn(['1/2'], '8')).toEqual([]);
    expect(await readFile(updated.own('left4dead2/changed.cfg'), 'utf8')).toBe('again by the server');
    expect(await readdir(join(updated.test.root, 'instances/one/replaced'))).toEqual(['7']);
  });

  it("the panel's server.cfg always wins, whatever the server made of it", async () => {
    const updated = await Updated.make({}, {}, isolation);
    const files = [{ path: CFG, content: 'rcon_password "panel"' }];
    await updated.runOn(['1/1'], '2', { files });
    await updated.write({ [CFG]: 'rcon_password "mine"' });
    expect(await updated.runOn(['1/1'], '3', { files })).toEqual([
      `"${CFG}" has changed in the layers: the server's own copy is in replaced/3/ now`,
    ]);
    expect(await updated.replaced(`3/${CFG}`)).toBe('rcon_password "mine"');
  });

  it('a start that was killed between two moves is finished by the next', async () => {
    const updated = await Updated.make({ 'a.cfg': '1', 'b.cfg': '1' }, { 'a.cfg': '2', 'b.cfg': '2' }, isolation);
    await updated.write({ 'a.cfg': 'mine', 'b.cfg': 'mine' });
    // As the killed start left it: one file is moved, the generation not adopted.
    await writeTree(join(updated.test.root, 'instances/one/replaced/5'), { 'a.cfg': 'mine' });
    await rm(updated.own('a.cfg'));
    await updated.runOn(['1/2'], '6');
    expect(await updated.replaced('5/a.cfg')).toBe('mine');
    expect(await updated.replaced('6/b.cfg')).toBe('mine');
    const left = ['a.cfg', 'b.cfg'].map((path) => readFile(updated.own(path), 'utf8').catch(() => 'none'));
    expect(await Promise.all(left)).toEqual(isolation === 'copy' ? ['2', '2'] : ['none', 'none']);
  });

  it('what was replaced stays for its days, however often a server starts, and the oldest goes where it is too much', async () => {
    const updated = await Updated.make({ 'a.cfg': '1' }, { 'a.cfg': '2', [CFG]: 'shipped' }, isolation);
    const files = [{ path: CFG, content: 'panel' }];
    const replaced = join(updated.test.root, 'instances/one/replaced');
    const daysAgo = async (days: number, job: string, content: string): Promise<void> => {
      await writeTree(replaced, { [`${job}/left4dead2/cfg/own.cfg`]: content });
      const at = new Date(Date.now() - days * 24 * 3600_000);
      await utimes(join(replaced, job), at, at);
    };
    for (let i = 0; i < 12; i++) await daysAgo(1, `night-${i}`, 'of people');
    await daysAgo(1.5, 'large', 'x'.repeat(1024 ** 2));
    await daysAgo(1.9, 'behind', 'of people');
    await daysAgo(3, 'old', 'of people');
    await updated.write({ 'a.cfg': 'mine', [CFG]: 'by the server' });
    await updated.runOn(['1/2'], '5', { files });
    expect((await readdir(replaced)).sort()).toEqual(
      ['5', ...Array.from({ length: 12 }, (_, i) => `night-${i}`)].sort(),
    );
    expect(await updated.replaced(`5/${CFG}`)).toBe('by the server');
  });

  it('what was replaced and cannot be removed stays, and keeps no server from its start', async () => {
    const updated = await Updated.make({ 'a.cfg': '1' }, { 'a.cfg': '2' }, isolation);
    const replaced = join(updated.test.root, 'instances/one/replaced');
    await writeTree(replaced, { 'no-folder': '', 'old/a.cfg': 'of people' });
    for (const job of ['no-folder', 'old']) await utimes(join(replaced, job), 0, 0);
    await updated.write({ 'a.cfg': 'mine' });
    const said = await updated.runOn(['1/2'], '5');
    expect(said).toContainEqual(expect.stringMatching(/^replaced\/no-folder\/ stays: ENOTDIR/));
    expect((await readdir(replaced)).sort()).toEqual(['5', 'no-folder']);
  });

  it('what was replaced last stays, whatever it has', async () => {
    const updated = await Updated.make({ 'a.cfg': '1' }, { 'a.cfg': '2' }, isolation);
    await updated.write({ 'a.cfg': 'x'.repeat(2 * 1024 ** 2) });
    await updated.runOn(['1/2'], '5');
    expect(await updated.replaced('5/a.cfg')).toHaveLength(2 * 1024 ** 2);
  });

  it('a file that the server deleted is there again when the layers have another one', async () => {
    const updated = await Updated.make(
      { 'changed.cfg': '1', 'same.cfg': 'same', 'folder/a.cfg': '1' },
      { 'changed.cfg': '2', 'same.cfg': 'same', 'folder/a.cfg': '2' },
      isolation,
    );
    for (const path of ['changed.cfg', 'same.cfg', 'folder']) {
      if (isolation === 'copy') await rm(updated.own(path), { recursive: true });
      else execFileSync('mknod', [updated.own(path), 'c', '0', '0']);
    }
    expect(await updated.runOn(['1/2'], '2')).toEqual([
      '"changed.cfg" has changed in the layers: that the server had deleted it counts no more',
    ]);
    expect(await updated.hasOwn('changed.cfg')).toBe(isolation === 'copy');
    expect(await updated.hasOwn('same.cfg')).toBe(isolation === 'namespaces');
    expect(await updated.hasOwn('folder')).toBe(isolation === 'namespaces');
  });
});

describe('what a server wrote', () => {
  it('stays where it has made a folder anew, which hides the layers, and the job says so', async () => {
    const updated = await Updated.make({ 'pack/a.cfg': '1' }, { 'pack/a.cfg': '2' });
    const { host, run } = updated.test;
    const probe = 'rm -r pack; mkdir pack; echo mine >pack/a.cfg; echo done\n';
    await makeRevision(updated.test.root, '1/3', { 'pack/a.cfg': '1', 'probe.sh': probe });
    await host.initialize('one', makeSpec({ overlays: ['1/3'] }), run);
    await host.start('one', run);
    await logWith(host, 'one', 'done');
    await host.stop('one', run);
    expect(await updated.runOn(['1/2'], '2')).toEqual([
      '"pack/a.cfg" has changed in the layers, but is not shown: the server has made "pack" anew, which hides everything of the layers in it',
    ]);
    expect(await readFile(updated.own('pack/a.cfg'), 'utf8')).toBe('mine\n');
  });

  it('gives way where a file becomes a folder, or a folder a file', async () => {
    const updated = await Updated.make(
      { 'to-folder': '1', 'to-file/a.cfg': '1' },
      { 'to-folder/a.cfg': '2', 'to-file': '2' },
    );
    await updated.write({ 'to-folder': 'mine', 'to-file/a.cfg': 'mine' });
    expect(await updated.runOn(['1/2'], '2')).toHaveLength(2);
    expect(await readdir(updated.own(''))).toEqual([]);
    expect(await updated.replaced('2/to-folder')).toBe('mine');
    expect(await updated.replaced('2/to-file/a.cfg')).toBe('mine');
  });

  it('is moved and compared without following a link that it has put there', async () => {
    const updated = await Updated.make({ 'a.cfg': '1', 'dir/b.cfg': '1' }, { 'a.cfg': '2', 'dir/b.cfg': '2' });
    const outside = join(updated.test.root, 'outside');
    await writeTree(outside, { 'b.cfg': 'outside' });
    await symlink(join(outside, 'b.cfg'), updated.own('a.cfg'));
    await symlink(outside, updated.own('dir'));
    await updated.runOn(['1/2'], '2');
    expect((await lstat(join(updated.test.root, 'instances/one/replaced/2/a.cfg'))).isSymbolicLink()).toBe(true);
    expect(await readFile(join(outside, 'b.cfg'), 'utf8')).toBe('outside');
  });

  it('does not keep a server from starting, or from being deleted, when it has closed folders to its host', async () => {
    const updated = await Updated.make(
      { 'closed/a.cfg': '1', 'shut/b.cfg': '1' },
      { 'closed/a.cfg': '2', 'shut/b.cfg': '2' },
    );
    const { root } = updated.test;
    await updated.write({ 'closed/a.cfg': 'mine', 'shut/b.cfg': 'mine' });
    await chmod(updated.own('closed'), 0o000);
    await chmod(updated.own('shut'), 0o555);
    await chmod(updated.own(''), 0o555);
    await updated.test.host.initialize('one', makeSpec({ overlays: ['1/2'] }), updated.test.run);
    expect(asUser(root, 'start')).toContain(`"shut/b.cfg" has changed in the layers`);
    expect(await updated.replaced('2/shut/b.cfg')).toBe('mine');
    await chmod(updated.own(''), 0o000);
    asUser(root, 'delete');
    expect(await readFile(join(root, 'trash/3/12/files/closed/a.cfg'), 'utf8')).toBe('mine');
  });

  it('is compared with what the order of overlays and hidden paths let through', async () => {
    const updated = await Updated.make({ 'a.cfg': '1', 'h.cfg': '1' }, { 'a.cfg': '2' });
    await makeRevision(updated.test.root, '2/1', { 'a.cfg': '1' });
    await updated.write({ 'a.cfg': 'mine', 'h.cfg': 'mine' });
    // Revision 2 is there, but below another overlay that says what revision 1 said.
    await updated.runOn(['2/1', '1/2'], '2');
    expect(await readFile(updated.own('a.cfg'), 'utf8')).toBe('mine');
    expect(await updated.replaced('2/h.cfg')).toBe('mine');
    await updated.runOn(['2/1'], '3', { hide: ['a.cfg'] });
    expect(await updated.replaced('3/a.cfg')).toBe('mine');
    expect(await updated.hasOwn('a.cfg')).toBe(false);
    await writeFile(updated.own('a.cfg'), 'mine again');
    await updated.runOn(['2/1'], '4', { hide: ['a.cfg'] });
    expect(await readFile(updated.own('a.cfg'), 'utf8')).toBe('mine again');
  });

  it('stays as it is while its server runs', async () => {
    const updated = await Updated.make({ 'a.cfg': '1' }, { 'a.cfg': '2' });
    const { host, run } = updated.test;
    await host.start('one', run);
    await updated.write({ 'a.cfg': 'mine' });
    await host.initialize('one', makeSpec({ overlays: ['1/2'] }), run);
    expect(await host.start('one', run, '2')).toEqual({ generation: 1, alreadyRunning: true });
    expect(await readFile(updated.own('a.cfg'), 'utf8')).toBe('mine');
    await host.stop('one', run);
    expect(await host.start('one', run, '3')).toEqual({ generation: 2, alreadyRunning: false });
    expect(await updated.replaced('3/a.cfg')).toBe('mine');
  });

  it('stays when the specification that it was written under is damaged, and the server starts', async () => {
    const updated = await Updated.make({ 'a.cfg': '1' }, { 'a.cfg': '2' });
    await updated.write({ 'a.cfg': 'mine' });
    await writeFile(join(updated.test.root, 'instances/one/generations/1/spec.yaml'), 'port: [');
    expect(await updated.runOn(['1/2'], '2')).toEqual([]);
    expect(await readFile(updated.own('a.cfg'), 'utf8')).toBe('mine');
  });
});
