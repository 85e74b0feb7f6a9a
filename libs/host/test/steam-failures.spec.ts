import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CommandRecords } from '../src/process/command-records.js';
import { CommandRunner } from '../src/process/command-runner.js';
import { listProcesses, readCommandLine } from '../src/process/process-table.js';
import { Steamcmd } from '../src/steamcmd/steamcmd.js';
import { setUp } from './stand-in-steamcmd/set-up.mjs';
import { makeRoot } from './support/fixture.js';
import { type Behaviour, reporting, SteamHost } from './support/steam.js';

const INSTALLER = fileURLToPath(new URL('./support/installer.mjs', import.meta.url));
const SMALL_DISK = fileURLToPath(new URL('./support/small-disk.sh', import.meta.url));
const execute = promisify(execFile);

/** How many processes have this in their command line. */
async function running(part: string): Promise<number> {
  const rows = (await listProcesses()).filter((row) => row.state !== 'Z');
  const lines = await Promise.all(rows.map((row) => readCommandLine(row.pid)));
  return lines.filter((line) => line.includes(part)).length;
}

describe('an update that fails', () => {
  let steam: SteamHost;
  beforeAll(async () => {
    steam = await SteamHost.open({ build: '100' });
    await steam.install();
  });

  it.each<[Behaviour, string, RegExp]>([
    [
      { mode: 'no-subscription' },
      'steam-no-subscription',
      /^Steam does not give this app to anonymous users.*No subscription/,
    ],
    [{ mode: 'invalid-platform' }, 'steam-invalid-platform', /^Steam refused the platform.*Invalid platform/],
    [
      { mode: 'no-connection' },
      'steam-network',
      /^Steam could not be reached: check the network.*FAILED \(No Connection\)/,
    ],
    [{ mode: 'state', code: '0x602' }, 'steam-network', /^Steam could not be reached.*state is 0x602/],
    [{ mode: 'state', code: '0x202' }, 'steam-disk-full', /^The disk is full: free some space.*state is 0x202/],
    [{ mode: 'state', code: '0x212' }, 'steam-disk-full', /^The disk is full: free some space.*state is 0x212/],
    [{ mode: 'state', code: '0x606' }, 'steam-disk-write', /^Steam could not write to the disk.*state is 0x606/],
    [
      { mode: 'state', code: '0x10e' },
      'steam-failed',
      /^steamcmd failed.*Error! App '222860' state is 0x10e after update job/,
    ],
    [{ mode: 'rate-limit' }, 'steam-rate-limit', /^Steam refuses for now.*wait half an hour/],
    [{ mode: 'half' }, 'steam-incomplete', /appmanifest_222860\.acf says that build 101 is not complete/],
    [{ mode: 'no-linux-files' }, 'steam-incomplete', /srcds_run, the Linux server, is not among the files/],
    [{ mode: 'crash', exitCode: 7 }, 'steam-failed', /^steamcmd failed/],
  ])('%j: is told as %s, and the current build stays', async (behaviour, code, message) => {
    steam.set({ build: '101', ...behaviour });
    const failing = steam.install();
    await expect(failing).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    // Never 0, though steamcmd's own is.
    await expect(failing).rejects.toMatchObject({ exitCode: behaviour.exitCode ?? 1 });
    expect(await steam.onDisk()).toEqual({ current: '100', folders: ['100'], others: [] });
  });

  it('is none when steamcmd crashes after it got everything, for what it made is looked at', async () => {
    const other = await SteamHost.open({ build: '100' });
    other.set({ build: '101', exitCode: 139 });
    await other.install();
    expect(await other.onDisk()).toMatchObject({ current: '101' });
    other.set({ build: '102', mode: 'half', exitCode: 139 });
    await expect(other.install()).rejects.toMatchObject({ code: 'steam-incomplete' });
    expect((await other.onDisk()).current).toBe('101');
  });

  it('does not stand in the way of the next one', async () => {
    steam.set({ build: '101' });
    await steam.install();
    expect((await steam.onDisk()).current).toBe('101');
  });
});

describe('steamcmd that fails', () => {
  it('with Missing configuration is tried three times, and no more', async () => {
    const steam = await SteamHost.open({ mode: 'missing-configuration' });
    const { run, lines } = reporting();
    await expect(steam.host.install({}, run)).rejects.toMatchObject({
      code: 'steam-missing-configuration',
      exitCode: 1,
    });
    expect(lines.filter((line) => line.includes('trying again'))).toHaveLength(2);
    expect(lines.filter((line) => line.includes('= "windows"'))).toHaveLength(3);
  });

  it('names the 32-bit libraries when its program has no loader', async () => {
    const steam = await SteamHost.open();
    // A real program whose loader does not exist: what a 32-bit one is without libc6:i386.
    const program = await readFile('/bin/true', 'latin1');
    expect(program).toContain('/lib64/ld-linux-x86-64.so.2');
    const without = program.replace('/lib64/ld-linux-x86-64.so.2', '/lib64/ld-nowhere86-64.so.2');
    await writeFile(join(steam.steam, 'linux32/steamcmd'), without, 'latin1');
    const { run, lines } = reporting();
    await expect(steam.host.install({}, run)).rejects.toMatchObject({
      code: 'steam-libraries-missing',
      exitCode: 127,
      message: expect.stringMatching(/^The 32-bit libraries .* install lib32gcc-s1 and lib32stdc\+\+6/),
    });
    expect(lines.some((line) => line.includes('linux32/steamcmd: '))).toBe(true);
  });

  it('names them when a library is missing', async () => {
    const steam = await SteamHost.open();
    const said =
      'error while loading shared libraries: libstdc++.so.6: cannot open shared object file: No such file or directory';
    await writeFile(join(steam.steam, 'linux32/steamcmd'), `#!/bin/sh\necho "steamcmd: ${said}" >&2\nexit 127\n`);
    await expect(steam.install()).rejects.toMatchObject({
      code: 'steam-libraries-missing',
      message: expect.stringContaining('libstdc++.so.6'),
    });
  });

  it('says so where the kernel runs no 32-bit programs', async () => {
    const steam = await SteamHost.open();
    await writeFile(join(steam.steam, 'linux32/steamcmd'), '\x7fELF nonsense');
    await expect(steam.install()).rejects.toMatchObject({ code: 'steam-no-32-bit' });
  });

  it('is said not to be able to update itself where it cannot write its folder', async () => {
    const steam = await SteamHost.open();
    await chmod(join(steam.steam, 'linux32'), 0o555);
    onTestFinished(() => chmod(join(steam.steam, 'linux32'), 0o755));
    // As an ordinary user also when root runs the tests.
    const command = ['unshare', '--user', '--map-user=1000', '--map-group=1000', process.execPath, INSTALLER];
    const { stdout } = await execute(command[0] ?? '', [...command.slice(1), steam.root, steam.program]).catch(
      (error: unknown) => Object(error),
    );
    expect(stdout).toContain(`steamcmd cannot update itself, as ${steam.steam} cannot be written`);
  });

  it('says so when there is no program', async () => {
    const steam = await SteamHost.open();
    await writeFile(steam.program, '#!/nonexistent/interpreter\n');
    await expect(steam.install()).rejects.toMatchObject({ code: 'steam-program-missing' });
    await chmod(steam.program, 0o644);
    const { host } = steam;
    await expect(host.install({}, reporting().run)).rejects.toMatchObject({
      code: 'steam-program-missing',
      message: expect.stringContaining('LEFT4ME_STEAMCMD'),
    });
  });
});

describe('a disk that is full', () => {
  /** What the script prints, on a disk of its own (see small-disk.sh). */
  async function onSmallDisk(script: string): Promise<string> {
    const top = await makeRoot();
    const [disk, steam] = [join(top, 'disk'), join(top, 'steamcmd')];
    await mkdir(disk);
    setUp(steam, { build: '100', bytes: 1000 });
    const given = [disk, process.execPath, INSTALLER, join(steam, 'steamcmd.sh'), script];
    const namespaces = ['--user', '--map-root-user', '--mount'];
    return (await execute('unshare', [...namespaces, '/bin/sh', SMALL_DISK, ...given])).stdout;
  }

  it('while steamcmd writes is told, and what it had written goes', async () => {
    const said = await onSmallDisk('fill 120; install; ls -A "$root/installation"; echo "free: $(free)"');
    expect(said).toMatch(/^failed: steam-disk-full: The disk is full: free some space/m);
    expect(said).not.toMatch(/^\.tmp-/m);
    expect(Number(/^free: +(\d+)$/m.exec(said)?.[1])).toBeGreaterThan(100);
  });

  it('while the build is copied is told as well', async () => {
    // As if something else had filled the disk since it was looked at.
    const forget = `sed -i 's/"bytes": [0-9]*/"bytes": 1/' "$root/installation/100.json"`;
    const next = `sed -i 's/"build":"100"/"build":"101"/' "\${steamcmd%/*}/behaviour.json"`;
    const said = await onSmallDisk(`install; ${forget}; ${next}; fill 60; install; ls -A "$root/installation"`);
    expect(said).toMatch(/^Build 100 is the current one now/m);
    expect(said).toMatch(/^Copying build 100/m);
    expect(said).toMatch(/^failed: steam-disk-full: .*No space left on device/m);
    expect(said.split('\n').slice(-4)).toEqual(['100', '100.json', 'current', '']);
  });
});

describe.each([true, false])('steamcmd that hangs (in a process namespace: %s)', (isolated) => {
  it('is ended by silence and by its time limit, with everything it began, though it ignores signals', async () => {
    const steam = await SteamHost.open({ mode: 'hang' });
    const commands = new CommandRunner(isolated, new CommandRecords(join(steam.root, 'cache/commands')));
    const options = { program: steam.program, home: join(steam.root, 'cache/steam') };
    const folder = steam.path('x');
    // It begins to speak within that on any machine.
    const silent = new Steamcmd({ ...options, silenceLimitMs: 5_000 }, commands);
    const waiting = reporting();
    await expect(silent.install(folder, waiting.run)).rejects.toMatchObject({
      code: 'steam-silent',
      message: expect.stringMatching(/^steamcmd said nothing for too long/),
    });
    // Its lines came at once: it has a terminal.
    expect(waiting.lines).toContain('Connecting anonymously to Steam Public...');
    expect(await running(steam.steam)).toBe(0);
    const slow = new Steamcmd({ ...options, installLimitMs: 1_000 }, commands);
    await expect(slow.install(folder, reporting().run)).rejects.toMatchObject({
      code: 'timed-out',
      message: expect.stringMatching(/^steamcmd did not end within/),
    });
    expect(await running(steam.steam)).toBe(0);
  });
});

it('a second steamcmd on the same home waits for nobody: it is refused', async () => {
  const steam = await SteamHost.open({ mode: 'hang' });
  const stop = new AbortController();
  const first = reporting(stop.signal);
  const hanging = steam.host.install({}, first.run);
  await expect.poll(() => first.lines).toContain('Connecting anonymously to Steam Public...');
  const commands = new CommandRunner(true, new CommandRecords(join(steam.root, 'cache/commands')));
  const other = new Steamcmd({ program: steam.program, home: join(steam.root, 'cache/steam') }, commands);
  await expect(other.newest(reporting().run)).rejects.toMatchObject({ code: 'steam-busy' });
  stop.abort();
  await expect(hanging).rejects.toMatchObject({ code: 'interrupted' });
});
