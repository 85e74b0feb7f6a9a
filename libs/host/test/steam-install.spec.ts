import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CommandRecords } from '../src/process/command-records.js';
import { CommandRunner } from '../src/process/command-runner.js';
import { Builds } from '../src/runtime/builds.js';
import { Retention } from '../src/runtime/retention.js';
import { NewestKnown } from '../src/steamcmd/newest-known.js';
import { SteamRuntime } from '../src/steamcmd/steam-runtime.js';
import { Steamcmd } from '../src/steamcmd/steamcmd.js';
import { reporting, SteamHost } from './support/steam.js';

describe('the first install', () => {
  it('gets the game by the two-platform sequence, tried again after Missing configuration', async () => {
    const steam = await SteamHost.open({ build: '100' });
    const { lines, progress } = await steam.install();
    const before = lines.findIndex((line) => line.includes('trying again (2 of 3)'));
    expect(lines[before - 1]).not.toContain('Success');
    expect(lines.slice(0, before)).toContain("ERROR! Failed to install app '222860' (Missing configuration)");
    expect(lines.filter((line) => line.startsWith('"@sSteamCmdForcePlatformType" = ')).slice(-2)).toEqual([
      '"@sSteamCmdForcePlatformType" = "windows"',
      '"@sSteamCmdForcePlatformType" = "linux"',
    ]);
    expect(lines).toContain(' Update state (0x61) downloading, progress: 42.10 (400000 / 800000)');
    expect(progress).toContainEqual({ percent: 42.1, text: 'downloading (1 of 2: Windows files)' });
    expect(progress).toContainEqual({ percent: 99.99, text: 'verifying install (2 of 2: Linux files)' });
    expect(progress.at(-1)).toEqual({ percent: 100, text: '100 is the current build' });
    expect(lines.filter((line) => line.includes('\u001B') || line.includes('\r'))).toEqual([]);

    expect(await steam.onDisk()).toEqual({ current: '100', folders: ['100'], others: [] });
    expect((await stat(steam.path('100', 'srcds_run'))).mode & 0o111).toBe(0o111);
    const { current, builds, newest } = await steam.host.runtimes();
    expect(current).toBe('100');
    expect(builds).toMatchObject([{ build: '100', demo: false }]);
    expect(builds[0]?.bytes).toBeGreaterThan(64_000);
    expect(newest?.build).toBe('100');
    expect(steam.host.facts.runtimeKind).toBe('steam');
  });

  it('says before how much disk it needs, as Steam says how big the game is', async () => {
    const steam = await SteamHost.open({ bytes: 3_000_000_000 });
    const { lines } = await steam.install();
    const said = lines.findIndex((line) => /^A new build needs about 3\.3 GB on the disk of .*installation/.test(line));
    expect(lines[said]).toMatch(/\(the whole game\); \d+\.\d GB are free\.$/);
    expect(lines.findIndex((line) => line.includes('downloading'))).toBeGreaterThan(said);
  });

  it('is refused before anything is downloaded when the disk is too small for it', async () => {
    const steam = await SteamHost.open({ bytes: 9e15 });
    await expect(steam.install()).rejects.toMatchObject({
      code: 'steam-disk-full',
      message: expect.stringMatching(
        /^The disk is full: free some space.*needs about 9900000\.0 GB .* \d+\.\d GB are free/,
      ),
    });
    expect(await steam.onDisk()).toEqual({ current: null, folders: [], others: [] });
  });

  it('works when Steam does not say what its newest build is', async () => {
    const steam = await SteamHost.open({ appInfo: 'never', build: '100' });
    const { lines } = await steam.install();
    expect(lines).toContain('Steam does not say what its newest build is.');
    expect(await steam.host.runtimes()).toMatchObject({ current: '100', newest: { build: '100' } });
  });

  it('works when Steam does not answer that question at all', async () => {
    const steam = await SteamHost.open({ appInfo: 'hang', build: '100' });
    const commands = new CommandRunner(true, new CommandRecords(join(steam.root, 'cache/commands')));
    const home = join(steam.root, 'cache/steam');
    const steamcmd = new Steamcmd({ program: steam.program, home, askLimitMs: 2_000 }, commands);
    const builds = new Builds(steam.root);
    const known = new NewestKnown(join(steam.root, 'cache/steam-newest.json'));
    const { run, lines } = reporting();
    await new SteamRuntime(steamcmd, builds, new Retention(steam.root, builds), known, commands).install({}, run);
    expect(lines).toContainEqual(
      expect.stringMatching(/^Steam does not say what its newest build is: steamcmd did not end/),
    );
    expect(await builds.current()).toBe('100');
  });

  it('works when nothing is isolated', async () => {
    const steam = await SteamHost.open({ build: '100' }, { assumeIsolation: 'copy' });
    await steam.install();
    expect(await steam.onDisk()).toEqual({ current: '100', folders: ['100'], others: [] });
  });
});

it('the stand-in holds its lines back without a terminal, as steamcmd does: an install would see none of them', async () => {
  const steam = await SteamHost.open();
  const program = spawn(steam.program, ['+login', 'anonymous', '+quit'], {
    env: { HOME: steam.root, PATH: '/usr/bin:/bin' },
  });
  const printed: unknown[] = [];
  program.stdout.on('data', (chunk) => printed.push(chunk));
  const [code] = await once(program, 'close');
  expect([code, printed]).toEqual([0, []]);
});

describe('the newest build', () => {
  it('is asked for anew each time, whatever steamcmd remembers', async () => {
    const steam = await SteamHost.open({ build: '100' });
    await steam.install();
    steam.set({ build: '101' });
    await steam.host.lookForNewest(reporting().run);
    expect(await steam.host.runtimes()).toMatchObject({ current: '100', newest: { build: '101' } });
  });

  it('is asked for again when steamcmd has it only the next time', async () => {
    const steam = await SteamHost.open({ build: '100', appInfo: 'late' });
    const { lines } = await steam.install();
    expect(lines).toContain('No app info for AppID 222860 found, requesting...');
    expect(lines).toContain("Steam's newest build is 100.");
  });

  it('that is there already is not got again: nothing is published', async () => {
    const steam = await SteamHost.open({ build: '100' });
    await steam.install();
    const before = await stat(steam.path('100'));
    const { lines, progress } = await steam.install();
    expect(lines).toContain('Build 100 is already newest: nothing to do.');
    expect(lines.some((line) => line.includes('Copying') || line.includes('app_update'))).toBe(false);
    expect(progress.at(-1)).toEqual({ percent: 100, text: '100 is already newest' });
    expect((await stat(steam.path('100'))).ino).toBe(before.ino);
  });

  it('that turns out to be the one that is there is not published either', async () => {
    const steam = await SteamHost.open({ build: '100' });
    await steam.install();
    const before = await stat(steam.path('100'));
    steam.set({ build: '100', appInfo: 'never' });
    const { lines } = await steam.install();
    expect(lines).toContain('Copying build 100: steamcmd updates the copy.');
    expect(lines).toContain('Build 100 is already newest: nothing to do.');
    expect((await stat(steam.path('100'))).ino).toBe(before.ino);
    expect(await steam.onDisk()).toEqual({ current: '100', folders: ['100'], others: [] });
  });
});

describe('steamclient.so', () => {
  const link = (steam: SteamHost): string => join(steam.root, 'cache/steam/.steam/sdk32/steamclient.so');

  it('is linked in the home of Steam where the link was missing, and copied to where servers look for it', async () => {
    const steam = await SteamHost.open();
    const { lines } = await steam.install();
    expect(lines.filter((line) => line.includes('sdk32/steamclient.so was missing'))).toHaveLength(1);
    expect(await readlink(link(steam))).toBe(join(steam.steam, 'linux32/steamclient.so'));
    const copy = steam.path('100', '.steam/sdk32/steamclient.so');
    expect((await lstat(copy)).isFile()).toBe(true);
    expect(await readFile(copy, 'utf8')).toBe('steamclient.so 1\n');
    const again = await steam.install();
    expect(again.lines.some((line) => line.includes('steamclient'))).toBe(false);
  });

  it('that is an old copy is replaced by the link, and said so', async () => {
    const steam = await SteamHost.open();
    await steam.install();
    await rm(link(steam));
    await writeFile(link(steam), 'steamclient.so 0\n');
    const { lines } = await steam.install();
    expect(lines.filter((line) => line.includes('sdk32/steamclient.so was an old copy'))).toHaveLength(1);
    expect(await readFile(link(steam), 'utf8')).toBe('steamclient.so 1\n');
  });

  it('is left alone where the whole folder is a link to the one of steamcmd', async () => {
    const steam = await SteamHost.open();
    await mkdir(join(steam.root, 'cache/steam/.steam'), { recursive: true });
    await symlink(join(steam.steam, 'linux32'), join(steam.root, 'cache/steam/.steam/sdk32'));
    const { lines } = await steam.install();
    expect(lines.some((line) => line.includes('the link'))).toBe(false);
    expect((await lstat(join(steam.steam, 'linux32/steamclient.so'))).isFile()).toBe(true);
  });

  it('of the current build that is older than that of steamcmd is named', async () => {
    const steam = await SteamHost.open({ client: 1 });
    await steam.install();
    steam.set({ client: 2 });
    expect((await steam.install()).lines).toContainEqual(
      expect.stringContaining('steamclient.so of the current build is older'),
    );
    steam.set({ client: 2, build: '101' });
    await steam.install();
    expect(await readFile(steam.path('101', '.steam/sdk32/steamclient.so'), 'utf8')).toBe('steamclient.so 2\n');
    expect(await readFile(steam.path('100', '.steam/sdk32/steamclient.so'), 'utf8')).toBe('steamclient.so 1\n');
  });
});
