import { spawn } from 'node:child_process';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listProcesses, readCommandLine } from '../src/process/process-table.js';
import { eventually, logWith, makeSpec, recordingRun, statusOf } from './support/fixture.js';
import { hashesOf, reporting, SteamHost } from './support/steam.js';

const INSTALLER = fileURLToPath(new URL('./support/installer.mjs', import.meta.url));

async function runningSteam(folder: string): Promise<number> {
  const rows = (await listProcesses()).filter((row) => row.state !== 'Z');
  const lines = await Promise.all(rows.map((row) => readCommandLine(row.pid)));
  return lines.filter((line) => line.includes(`${folder}/`)).length;
}

/** A server of the newest build, started. */
async function startServer({ host }: SteamHost, name: string): Promise<void> {
  const { run } = recordingRun();
  onTestFinished(() => host.stop(name, recordingRun().run));
  await host.initialize(name, makeSpec({ arguments: ['+map', 'c1m1_hotel'] }), run);
  await host.start(name, run);
  await logWith(host, name, 'Console initialized');
}

describe('an update', () => {
  it('does not touch what a running server uses, though steamcmd writes into files', async () => {
    const steam = await SteamHost.open({ build: '100' });
    await steam.install();
    await startServer(steam, 'alpha');
    const before = await hashesOf(steam.path('100'));
    const { pid } = await statusOf(steam.host, 'alpha');
    const seenBefore = await hashesOf(`/proc/${pid}/root/game/left4dead2`);
    const inodes = await inodesOf(steam.path('100'));

    steam.set({ build: '101' });
    const { lines } = await steam.install();
    expect(lines).toContainEqual(
      expect.stringMatching(/needs about .* \(a copy of build 100, which running servers may use, and the update/),
    );
    expect(lines).toContain('Build 101 is the current one now (it was 100).');

    expect(await hashesOf(steam.path('100'))).toEqual(before);
    expect(await hashesOf(`/proc/${pid}/root/game/left4dead2`)).toEqual(seenBefore);
    expect(await statusOf(steam.host, 'alpha')).toMatchObject({ state: 'running', pid });
    const after = await hashesOf(steam.path('101'));
    expect(after['left4dead2/pak01_dir.vpk']).not.toBe(before['left4dead2/pak01_dir.vpk']);
    // No file is in both: a link into the older build would have changed it.
    expect([...(await inodesOf(steam.path('101')))].filter((inode) => inodes.has(inode))).toEqual([]);

    // The next start gets it.
    await steam.host.initialize('alpha', makeSpec(), recordingRun().run);
    await steam.host.stop('alpha', recordingRun().run);
    await steam.host.start('alpha', recordingRun().run);
    const again = await statusOf(steam.host, 'alpha');
    await eventually(
      async () => (await hashesOf(`/proc/${again.pid}/root/game/left4dead2`).catch(() => null)) !== null,
    );
    const seen = await hashesOf(`/proc/${again.pid}/root/game/left4dead2`);
    expect(seen['pak01_dir.vpk']).toBe(after['left4dead2/pak01_dir.vpk']);
  });

  it.each([true, false])(
    'that is cancelled leaves the current build current and nothing behind (isolated: %s)',
    async (isolated) => {
      const steam = await SteamHost.open({ build: '100' }, isolated ? {} : { assumeIsolation: 'copy' });
      await steam.install();
      const before = await hashesOf(steam.path('100'));
      steam.set({ build: '101', mode: 'stall' });
      const stop = new AbortController();
      const { run, lines } = reporting(stop.signal);
      const updating = steam.host.install({}, run);
      await eventually(async () => lines.filter((line) => line.includes('downloading')).length === 2);
      expect((await steam.onDisk()).others).toHaveLength(1);
      stop.abort();
      await expect(updating).rejects.toMatchObject({ code: 'interrupted' });
      expect(await runningSteam(steam.steam)).toBe(0);
      expect(await steam.onDisk()).toEqual({ current: '100', folders: ['100'], others: [] });
      expect(await hashesOf(steam.path('100'))).toEqual(before);
    },
  );

  it('whose worker is killed leaves the current build current; the next one clears up', async () => {
    const steam = await SteamHost.open({ build: '100' });
    await steam.install();
    const before = await hashesOf(steam.path('100'));
    steam.set({ build: '101', mode: 'stall' });
    const worker = spawn(process.execPath, [INSTALLER, steam.root, steam.program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface(worker.stdout);
    await new Promise<void>((resolve, reject) => {
      let seen = 0;
      lines.on('line', (line) => line.includes('downloading') && ++seen === 2 && resolve());
      lines.on('close', () => reject(new Error('the installer ended by itself')));
    });
    expect(await runningSteam(steam.steam)).toBeGreaterThan(0);
    worker.kill('SIGKILL');
    await eventually(async () => (await runningSteam(steam.steam)) === 0);
    const left = await steam.onDisk();
    expect(left).toMatchObject({ current: '100', folders: ['100'] });
    expect(left.others).toHaveLength(1);
    expect(await readdir(steam.path(left.others[0] ?? ''))).toContain('left4dead2');
    expect(await hashesOf(steam.path('100'))).toEqual(before);

    steam.set({ build: '101' });
    await steam.install();
    expect(await steam.onDisk()).toEqual({ current: '101', folders: ['100', '101'], others: [] });
  });
});

it('a build whose record was lost is not made again: servers may use it', async () => {
  const steam = await SteamHost.open({ build: '100' });
  await steam.install();
  const before = await inodesOf(steam.path('100'));
  await rm(steam.path('100.json'));
  expect((await steam.host.runtimes()).builds).toEqual([]);
  const { lines } = await steam.install();
  expect(lines).toContain('Build 100 was there without a record of it, which is made anew.');
  expect(await inodesOf(steam.path('100'))).toEqual(before);
  expect(await steam.host.runtimes()).toMatchObject({ current: '100', builds: [{ build: '100' }] });
  expect((await steam.onDisk()).others).toEqual([]);
});

describe('going back', () => {
  it('makes an installed build the current one without steamcmd; the newest comes back the same way', async () => {
    const steam = await SteamHost.open({ build: '100' });
    await steam.install();
    steam.set({ build: '101' });
    await steam.install();
    const back = await steam.install('100');
    expect(back.lines).toEqual(['Build 100 is the current one now (it was 101).']);
    expect(await steam.onDisk()).toEqual({ current: '100', folders: ['100', '101'], others: [] });
    expect(await steam.host.runtimes()).toMatchObject({ current: '100', newest: { build: '101' } });
    const forth = await steam.install();
    expect(forth.lines).toContain('Build 101 is the current one now (it was 100).');
    expect(forth.lines.some((line) => line.includes('downloading'))).toBe(false);
    expect((await steam.install('101')).lines).toEqual(['Build 101 is the current one already.']);
  });

  it('to a build that is not installed is refused, and the installed ones are named', async () => {
    const steam = await SteamHost.open({ build: '100' });
    await expect(steam.install('99')).rejects.toMatchObject({
      code: 'build-not-installed',
      message: expect.stringMatching(/^Build 99 is not installed on this host.*none is installed$/),
    });
    await steam.install();
    steam.set({ build: '101' });
    await steam.install();
    await expect(steam.install('99')).rejects.toThrow(/installed are: 101, 100$/);
    await expect(steam.install('../x')).rejects.toMatchObject({ code: 'invalid-name' });
    expect((await steam.onDisk()).current).toBe('101');
  });
});

describe('older builds', () => {
  it('go, but for those that a generation names and one earlier', async () => {
    const steam = await SteamHost.open({ build: '100' });
    await steam.install();
    const { host } = steam;
    await host.initialize('pinned', makeSpec(), recordingRun().run); // never started, but its next start takes it
    for (const build of ['101', '102', '103']) {
      steam.set({ build });
      await steam.install();
    }
    expect((await steam.onDisk()).folders).toEqual(['100', '102', '103']);
    expect((await host.runtimes()).builds.map(({ build }) => build)).toEqual(['103', '102', '100']);
    await host.delete('pinned', 'pinned/1', recordingRun().run);
    steam.set({ build: '104' });
    const { lines } = await steam.install();
    expect(lines.filter((line) => line.startsWith('Removing build'))).toEqual([
      'Removing build 102: no server uses it, and 103 is kept to go back to.',
      'Removing build 100: no server uses it, and 103 is kept to go back to.',
    ]);
    expect(await steam.onDisk()).toEqual({ current: '104', folders: ['103', '104'], others: [] });
    expect((await readdir(steam.path())).filter((name) => name.endsWith('.json')).sort()).toEqual([
      '103.json',
      '104.json',
    ]);
  });

  it('all stay while a generation cannot be read', async () => {
    const steam = await SteamHost.open({ build: '100' });
    await steam.install();
    await steam.host.initialize('damaged', makeSpec(), recordingRun().run);
    await writeFile(join(steam.root, 'instances/damaged/generations/1/spec.yaml'), 'port: [');
    for (const build of ['101', '102']) {
      steam.set({ build });
      await steam.install();
    }
    const { folders, current } = await steam.onDisk();
    expect({ folders, current }).toEqual({ folders: ['100', '101', '102'], current: '102' });
  });
});

it('a look for a newer build gives way to an install, and does not begin during one', async () => {
  const steam = await SteamHost.open({ build: '100', mode: 'hang' });
  const looking = reporting();
  const look = steam.host.lookForNewest(looking.run);
  await eventually(async () => looking.lines.includes('Connecting anonymously to Steam Public...'));
  steam.set({ build: '100', steps: 20, stepMs: 50 });
  const installing = reporting();
  const install = steam.host.install({}, installing.run);
  await look; // ended, quietly
  await eventually(async () => installing.lines.some((line) => line.includes('downloading')));
  const second = reporting();
  await steam.host.lookForNewest(second.run);
  expect(second.lines).toEqual([]);
  expect(await install).toEqual({ build: '100', demo: false });
});

async function inodesOf(folder: string): Promise<Set<number>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return new Set(
    await Promise.all(files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).ino)),
  );
}
