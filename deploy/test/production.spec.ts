import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askInfo } from './a2s.js';
import { eventually } from './eventually.js';
import { Installation, PASSWORD } from './installation.js';
import { Machine } from './machine.js';
import { Panel } from './panel.js';
import { seenAfter } from './seen-after.js';
import { uncoveredProc } from './proc-mounts.js';
import { testCommandLine } from './command-line.js';
import { testCrashRestart } from './crash-restart.js';
import { testFailures } from './failing-servers.js';
import { testFoundByDoctor } from './found-by-doctor.js';
import { testInstalledFiles } from './installed-files.js';
import { testIsolation } from './isolation.js';
import { testLimits } from './limits.js';
import { testManyServers } from './many-servers.js';
import { testNamesAgain } from './names-again.js';
import { testScriptEnds } from './script-ends.js';
import { testScriptLimits } from './script-limits.js';
import { testScriptOverlays } from './script-overlays.js';
import { testUpgrade } from './upgrade.js';
import { testRights } from './worker-rights.js';

const machine = new Machine();
const installation = new Installation(machine);
const panel = new Panel(installation.url);
const ports = { alpha: 27_015, beta: 27_016 };
type Name = keyof typeof ports;
const names: Name[] = ['alpha', 'beta'];

const unitOf = (name: string) => `left4me-server@${name}.service`;
/** What is measured, for whoever reads the log. */
const tell = (what: string) => console.log(`      ${what}`);
const answers = (name: Name) => askInfo(machine.address, ports[name]).then((info) => info?.name === name);
const expectBothAnswer = () =>
  eventually('both servers answer queries', async () => (await Promise.all(names.map(answers))).every(Boolean), 60);

beforeAll(async () => {
  await machine.boot();
  await installation.prepare();
});
afterAll(() => installation.close());

describe('a fresh Debian 13', () => {
  it('refuses whoever is not root, words it does not know and settings that are wrong', async () => {
    const nobody = await machine.run(['runuser', '-u', 'nobody', '--', '/usr/local/src/left4me/deploy/install.sh']);
    expect(nobody).toMatchObject({ code: 1, stderr: expect.stringMatching(/^install\.sh: must be run as root/) });
    const unknown = await installation.install('--upgrade');
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringMatching(/unknown words: --upgrade/) });
    for (const wrong of [
      'LEFT4ME_PORT=eighty',
      'LEFT4ME_PUBLIC_URL=left4me.example.org',
      'LEFT4ME_SERVER_MEMORY=lots',
    ]) {
      const refused = await machine.run(['env', wrong, '/usr/local/src/left4me/deploy/install.sh']);
      const [name, value] = wrong.split('=');
      expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining(`${name}`) });
      expect(refused.stderr).toContain(value);
    }
    expect((await machine.run(['test', '-e', '/etc/left4me'])).code).toBe(1);
  });

  it('becomes a left4me by deploy/install.sh', { timeout: 1_200_000 }, async () => {
    const began = Date.now();
    const { code, stdout, stderr } = await installation.install();
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
    tell(`installed in ${Math.round((Date.now() - began) / 1000)} s`);
    expect(stdout).toMatch(/^left4me runs: http/m);
    expect(stdout).not.toContain(PASSWORD);
    await panel.logIn('admin', PASSWORD);
  });

  it('keeps PostgreSQL and Redis away from game servers’ network, and secrets from everybody else', async () => {
    expect(await machine.get('ss', '--no-header', '-ltn', 'sport', '=', ':6379', 'or', 'sport', '=', ':5432')).toBe('');
    const modes = await machine.get('stat', '--format=%A %U:%G', '/etc/left4me/host.env', '/etc/left4me/web.env');
    expect(modes.split('\n')).toEqual(['-rw-r----- root:left4me', '-rw-r----- root:left4me-web']);
    for (const folder of ['instances', 'overlays', 'cache']) {
      const attempt = await machine.run([
        'runuser',
        '-u',
        'left4me-web',
        '--',
        'touch',
        `/var/lib/left4me/${folder}/x`,
      ]);
      expect(attempt.code, folder).not.toBe(0);
    }
    const other = ['runuser', '-u', 'nobody', '--'];
    expect((await machine.run([...other, 'ls', '/var/lib/left4me'])).code).not.toBe(0);
    expect((await machine.run([...other, 'psql', '--dbname=left4me', '--command=SELECT 1'])).code).not.toBe(0);
    const socket = '/run/redis-left4me/redis-server.sock';
    expect((await machine.run([...other, 'redis-cli', '-s', socket, 'ping'])).stdout).not.toContain('PONG');
  });

  it('is found in order by left4me doctor', async () => {
    await installation.giveSteamcmd();
    const { stdout } = await machine.run(['left4me', 'doctor']);
    tell(stdout.trim().replaceAll('\n', '\n      '));
    // The stand-in needs no 32-bit libraries, so there are none.
    const bad = stdout.split('\n').filter((line) => line.startsWith('BAD') && !line.includes('32-bit'));
    expect(bad).toEqual([]);
    expect(stdout).toMatch(/^good +rights/m);
  });

  it('has units as hardened as their work allows', async () => {
    const limits = { 'left4me-server@alpha': 2, 'left4me-script@1': 1, 'left4me-api': 1.3, 'left4me-worker': 3 };
    for (const [unit, limit] of Object.entries(limits)) {
      const { stdout } = await machine.run(['systemd-analyze', 'security', '--no-pager', `${unit}.service`]);
      const level = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
      tell(`systemd-analyze security: ${unit} ${level}`);
      expect(level, unit).toBeLessThanOrEqual(limit);
    }
  });
});

describe('two servers of twelve overlays', () => {
  it('are made over REST by a user of the API, and run', async () => {
    await panel.does('/hosts/1/jobs', { operation: 'install' });
    expect(await panel.ask('GET', '/hosts/1')).toMatchObject({ demo: false, currentBuild: '100' });
    const overlays: number[] = [];
    for (let number = 1; number <= 12; number++) {
      const id = await panel.make('overlays', { name: `overlay-${number}`, catalog: true });
      const path = encodeURIComponent(`left4dead2/addons/part-${number}.txt`);
      await panel.ask('PUT', `/overlays/${id}/files/content?path=${path}`, `part ${number}`);
      overlays.push(id);
    }
    await Promise.all(overlays.map((id) => panel.does(`/overlays/${id}/builds`)));
    const blueprintId = await panel.make('blueprints', {
      name: 'twelve',
      overlays: overlays.map((overlayId) => ({ overlayId })),
      config: 'hostname "{{title}}"',
    });
    for (const name of names) {
      await panel.make('servers', { name, title: name, blueprintId, port: ports[name] });
      await panel.does(`/servers/${name}/jobs`, { operation: 'start' });
    }
    await expectBothAnswer();
  });

  it('show their files over the worker’s socket, which nobody else may use', async () => {
    const part = 'left4dead2/addons/part-7.txt';
    expect(await panel.ask('GET', '/servers/alpha/files?path=left4dead2/addons')).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({ path: part, layer: expect.objectContaining({ kind: 'overlay' }) }),
      ]),
    });
    expect(await panel.download(`/servers/alpha/files/content?path=${part}`)).toBe('part 7');
    const cfg = await panel.download('/servers/alpha/files/content?path=left4dead2/cfg/server.cfg');
    expect(cfg).toMatch(/rcon_password "\*+"/);
    const folder = '/var/lib/left4me/worker';
    expect(await machine.get('stat', '--format=%A %U:%G', folder, `${folder}/files.sock`)).toBe(
      'drwxr-x--- left4me:left4me\nsrw-rw---- left4me:left4me',
    );
    const listing = ['ls', '/var/lib/left4me/instances'];
    expect((await machine.run(['runuser', '-u', 'left4me-web', '--', ...listing])).code).not.toBe(0);
  });

  it('come back by themselves: without the panel, after a reboot and after a power cut', async () => {
    await machine.get('systemctl', 'disable', '--now', 'left4me-api.service', 'left4me-worker.service');
    for (const [what, happens] of [
      ['a reboot', () => machine.reboot()],
      ['a power cut', () => machine.cutPower()],
    ] as const) {
      const began = Date.now();
      await happens();
      await expectBothAnswer();
      tell(`both servers answer ${((Date.now() - began) / 1000).toFixed(1)} s after the beginning of ${what}`);
      const { stdout } = await machine.run(['systemctl', 'is-active', 'left4me-api.service', 'left4me-worker.service']);
      expect(stdout.trim().split('\n')).toEqual(['inactive', 'inactive']);
      const status: unknown = JSON.parse(await machine.get('l4d2ctl', 'status', 'alpha', '--json'));
      expect(status).toMatchObject({ state: 'running', generation: 1 });
    }
    await machine.get('systemctl', 'enable', '--now', 'left4me-api.service', 'left4me-worker.service');
    for (const name of names) {
      await eventually(`${name} runs`, async () => (await panel.server(name)).actualState === 'running');
    }
  });

  // nspawn keeps a /proc of its own out of sight, so a unit that leaves none uncovered fails on real machines only.
  it('have a launcher that finds a /proc which nothing covers', async () => {
    const { BindPaths } = await machine.unit(unitOf('alpha'), 'BindPaths');
    expect(BindPaths).toBe('/proc:/run/left4me-proc');
    // Its namespace is gone when the server runs; the worker's, where the launcher is tried out, has the same settings.
    const { MainPID } = await machine.unit('left4me-worker.service', 'MainPID');
    expect(uncoveredProc(await machine.get('cat', `/proc/${MainPID}/mountinfo`))).toEqual(['/run/left4me-proc']);
  });

  it('show a stop by hand within a second', async () => {
    await eventually('beta runs', async () => (await panel.server('beta')).actualState === 'running');
    await machine.get('systemctl', 'stop', unitOf('beta'));
    const took = await seenAfter('beta', 'stopped', machine, panel);
    tell(`a stop by hand was seen after ${took.toFixed(0)} ms`);
    expect(took).toBeGreaterThanOrEqual(0);
    expect(took).toBeLessThan(1000);
    expect((await panel.server('beta')).desiredState).toBe('running');
  });

  it('are what the panel says, after the worker was killed in the middle of a start', async () => {
    // Its start has a middle for as long as systemd waits for this file.
    const settings = `/run/systemd/system/${unitOf('beta')}.d`;
    const waits = '[Service]\nExecStartPre=+/bin/sh -c "until [ -e /run/go-on ]; do sleep 0.1; done"\n';
    await machine.get('mkdir', '--parents', settings);
    await machine.run(['tee', `${settings}/wait.conf`], waits);
    await machine.get('systemctl', 'daemon-reload');
    const id = await panel.queue('/servers/beta/jobs', { operation: 'start' });
    await eventually('systemd starts it', async () => {
      return (await machine.unit(unitOf('beta'), 'ActiveState'))['ActiveState'] === 'activating';
    });
    expect(await panel.job(id)).toMatchObject({ state: 'running' });
    await machine.get('systemctl', 'kill', '--signal=KILL', 'left4me-worker.service');
    await machine.get('touch', '/run/go-on');
    const { state, error } = await panel.ended(id);
    tell(`the interrupted start: ${state}, ${error}`);
    expect({ state, error }).toEqual({
      state: 'failed',
      error: expect.stringMatching(/^interrupted: the worker ended/),
    });
    await eventually('the panel shows what is', async () => (await panel.server('beta')).actualState === 'running');
    await machine.get('rm', '--recursive', settings);
    await machine.get('systemctl', 'daemon-reload');
    await panel.does('/servers/beta/jobs', { operation: 'start' });
    await expectBothAnswer();
  });
});

testInstalledFiles(machine, installation);

testRights(machine);

testFoundByDoctor(machine);

testCommandLine(machine, panel);

// For most of their time they wait: for systemd, or for a server that settles.
describe.concurrent('beside each other', () => {
  testNamesAgain(machine, panel, installation.url);
  testFailures(machine, panel);
  testCrashRestart(machine, panel);
});

testLimits(machine, panel);

testIsolation(machine);

describe.concurrent('beside each other', () => {
  testScriptOverlays(machine, panel);
  testScriptLimits(machine, panel);
});

testScriptEnds(machine, panel);

testManyServers(machine, panel);

testUpgrade(installation, panel, names);

describe('the end', () => {
  it('removes what the API may not: the revisions of a deleted overlay', async () => {
    const id = await panel.make('overlays', { name: 'short-lived', catalog: true });
    await panel.ask('PUT', `/overlays/${id}/files/content?path=a.txt`, 'x');
    await panel.does(`/overlays/${id}/builds`);
    await machine.get('test', '-d', `/var/lib/left4me/overlays/${id}/1`);
    await panel.ask('DELETE', `/overlays/${id}`);
    await eventually('they are gone', async () => {
      return (await machine.run(['test', '-e', `/var/lib/left4me/overlays/${id}`])).code === 1;
    });
    expect((await machine.run(['test', '-e', `/var/lib/left4me/drafts/${id}`])).code).toBe(1);
  });

  it('uninstalls everything but the data, and with --purge the data', async () => {
    expect(await installation.install('--uninstall')).toMatchObject({ code: 0 });
    expect(await machine.get('systemctl', 'list-units', '--all', '--plain', '--no-legend', 'left4me-*')).toBe('');
    expect((await machine.run(['test', '-e', '/opt/left4me'])).code).toBe(1);
    expect((await machine.run(['runuser', '-u', 'left4me', '--', 'sudo', '-n', '-l'])).code).toBe(1);
    await machine.get('test', '-e', '/var/lib/left4me/overlays/1/1/left4dead2/addons/part-1.txt');
    expect(await installation.install('--uninstall', '--purge')).toMatchObject({ code: 0 });
    const limits = '/etc/systemd/system/left4me-server@.service.d';
    for (const path of ['/var/lib/left4me', '/etc/left4me', limits]) {
      expect((await machine.run(['test', '-e', path])).code, path).toBe(1);
    }
    const databases = await machine.get('runuser', '-u', 'postgres', '--', 'psql', '--list', '--tuples-only');
    expect(databases).not.toContain('left4me');
  });
});
