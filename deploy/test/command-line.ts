import { afterAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import type { Ended, Machine } from './machine.js';
import type { Panel } from './panel.js';

const PANEL_UNITS = ['left4me-api.service', 'left4me-worker.service'];
const STEAMCMD = '/var/lib/left4me/steamcmd';
const SET_UP = '/usr/local/src/left4me/libs/host/test/stand-in-steamcmd/set-up.mjs';
const unitOf = (name: string) => `left4me-server@${name}.service`;

/** `l4d2ctl` beside a panel that is away, and what the panel says of it afterwards. Servers alpha and beta run before and after. */
export function testCommandLine(machine: Machine, panel: Panel): void {
  /** By root; what is given as input comes from root's own files. */
  const ctl = (words: readonly string[], input = ''): Promise<Ended> => machine.run(['l4d2ctl', ...words], input);
  const withProcesses = (...words: string[]) =>
    machine.run(['env', 'LEFT4ME_SERVICE_MANAGER=process', 'l4d2ctl', ...words]);
  const look = (name: string) => machine.unit(unitOf(name), 'MainPID', 'NRestarts', 'ActiveState', 'UnitFileState');
  /** The programs that are this server, by the port only it has. */
  const programs = async (port: number) =>
    (await machine.run(['pgrep', '--full', `^/usr/bin/node .*srcds.mjs.* -port ${port}`])).stdout.trim();
  const steamcmdBehaves = (behaviour: object) =>
    machine.get('runuser', '-u', 'left4me', '--', 'node', SET_UP, STEAMCMD, JSON.stringify(behaviour));

  describe('l4d2ctl, while API and worker are away', () => {
    afterAll(async () => {
      await machine.get('systemctl', 'start', ...PANEL_UNITS);
    });

    it('tells what runs, and starts no second copy of it', async () => {
      const blueprintId = await panel.make('blueprints', { name: 'by hand', overlays: [] });
      await panel.make('servers', { name: 'by-hand', blueprintId, port: 27_040 });
      await machine.get('systemctl', 'stop', ...PANEL_UNITS);
      const before = await look('alpha');
      const program = await programs(27_015);
      expect(program).toMatch(/^\d+$/);
      const running = `alpha: running, process ${before['MainPID']}, generation 1\n`;
      expect(await ctl(['status', 'alpha'])).toMatchObject({ code: 0, stdout: running, stderr: '' });
      expect(await ctl(['start', 'alpha'])).toMatchObject({ code: 0, stdout: 'alpha runs already\n', stderr: '' });
      // Settings of another service manager do not make another server either, nor do they stop it behind systemd's back.
      expect(await withProcesses('status', 'alpha')).toMatchObject({ code: 0, stdout: running });
      expect(await withProcesses('start', 'alpha')).toMatchObject({ code: 0, stdout: 'alpha runs already\n' });
      const stopped = await withProcesses('stop', 'alpha');
      expect(stopped).toMatchObject({ code: 1, stderr: expect.stringContaining('alpha is run by systemd') });
      expect(await look('alpha')).toEqual(before);
      expect(await programs(27_015)).toBe(program);
    });

    it('initializes, starts and follows a server until Ctrl-C', async () => {
      const spec = 'port: 27040\narguments: [+map, c2m1_highway]\n';
      const prepared = { code: 0, stdout: 'by-hand: generation 1 is next\n' };
      expect(await ctl(['initialize', 'by-hand', '--file', '-'], spec)).toMatchObject(prepared);
      const words = 'exec l4d2ctl logs by-hand --lines 0 --follow >/tmp/followed';
      const following = machine.run(['sh', '-c', words]);
      // The one that follows knows from where; one that looks for that comes before.
      await eventually(
        'the log is followed',
        async () => (await machine.run(['pgrep', '--full', 'journalctl .*--follow'])).code === 0,
      );
      expect(await ctl(['start', 'by-hand'])).toMatchObject({
        code: 0,
        stdout: 'by-hand runs generation 1\n',
        stderr: '',
      });
      await eventually('new lines are there', async () =>
        (await machine.get('cat', '/tmp/followed')).includes('Loading map "c2m1_highway"'),
      );
      const pid = await machine.get('pgrep', '--full', '^/usr/bin/node .*l4d2ctl.mjs logs by-hand');
      const began = performance.now();
      await machine.get('kill', '-INT', pid);
      expect(await following).toMatchObject({ code: 0, stderr: '' });
      const took = performance.now() - began;
      console.log(`      logs --follow ended ${took.toFixed(0)} ms after Ctrl-C`);
      expect(took).toBeLessThan(5000);
      // The panel, which has one of its own, is away.
      await eventually(
        'its journalctl is gone',
        async () => (await machine.run(['pgrep', '-x', 'journalctl'])).code === 1,
      );
      const { code: plain, stdout: last } = await ctl(['logs', 'by-hand', '--lines', '3']);
      expect({ plain, lines: last.trim().split('\n').length }).toEqual({ plain: 0, lines: 3 });
    });

    it('stops a server, which then does not come back with the machine', async () => {
      expect(await ctl(['stop', 'beta'])).toMatchObject({ code: 0, stdout: 'beta is stopped\n', stderr: '' });
      expect(await look('beta')).toMatchObject({ ActiveState: 'inactive', UnitFileState: 'disabled' });
      expect(await ctl(['status', 'beta'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^beta: stopped/) });
      expect(await ctl(['stop', 'beta'])).toMatchObject({ code: 0 });
    });

    it('passes through how what it runs failed, and why', async () => {
      expect(await ctl(['initialize', 'broken', '-f', '-'], 'port: 27041\nhide: [srcds_run]\n')).toMatchObject({
        code: 0,
      });
      const start = await ctl(['start', 'broken']);
      expect(start).toMatchObject({
        code: 127,
        stderr: expect.stringMatching(/srcds_run: not found \(broken did not start/),
      });
      expect(start.stderr).not.toContain('starts it again');
      await steamcmdBehaves({ build: '101', mode: 'no-subscription', exitCode: 8 });
      const install = await ctl(['install']);
      await steamcmdBehaves({ build: '100' });
      expect(install).toMatchObject({ code: 8, stdout: '' });
      expect(install.stderr).toContain(`ERROR! Failed to install app '222860' (No subscription)\n`);
      expect(install.stderr).toMatch(/^l4d2ctl: Steam does not give this app to anonymous users/m);
      expect(await ctl(['install'])).toMatchObject({ code: 0, stdout: 'installed 100\n' });
    });

    it('says what is wrong with what it was given', async () => {
      const fails = async (words: string[], code: number, stderr: string, input = '') =>
        expect(await ctl(words, input)).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(stderr) });
      await Promise.all([
        fails(['start', 'nobody'], 1, 'l4d2ctl: nobody has not been initialized\n'),
        fails(['start', 'NOBODY'], 1, 'is not a valid server name'),
        fails(['initialize', 'x', '-f', '-'], 1, 'l4d2ctl: overlays[0]: ', 'port: 27042\noverlays: [../1]\n'),
        fails(['initialize', 'x', '-f', '/root/.bashrc'], 1, 'user left4me may not read /root/.bashrc'),
        fails(['start'], 2, "missing required argument 'name'"),
      ]);
      const other = await machine.run(['runuser', '-u', 'nobody', '--', 'l4d2ctl', 'stop', 'alpha']);
      expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('run it as root') });
    });

    it('deletes a server, also one that is not there', async () => {
      expect(await ctl(['delete', 'broken'])).toMatchObject({ code: 0, stdout: 'broken is gone\n' });
      expect((await machine.run(['test', '-e', '/var/lib/left4me/instances/broken'])).code).toBe(1);
      const none = { code: 0, stdout: 'there is no server broken on this host\n', stderr: '' };
      expect(await ctl(['delete', 'broken'])).toMatchObject(none);
    });
  });

  describe('the panel', () => {
    const shows = (name: string, state: string) =>
      eventually(`${name} is ${state}`, async () => (await panel.server(name)).actualState === state);

    it('shows what l4d2ctl did, before it came back and beside it', async () => {
      const alpha = await look('alpha');
      await eventually('it is back', async () => (await panel.ask('GET', '/hosts/1')) !== null);
      await shows('by-hand', 'running');
      await shows('beta', 'stopped');
      expect((await panel.server('beta')).desiredState).toBe('running');
      // That of the start whose worker was killed.
      expect(await ctl(['start', 'beta'])).toMatchObject({ code: 0, stdout: 'beta runs generation 2\n' });
      await shows('beta', 'running');
      expect(await ctl(['delete', 'by-hand'])).toMatchObject({ code: 0 });
      expect(await ctl(['status', 'by-hand'])).toMatchObject({ stdout: 'there is no server by-hand on this host\n' });
      await shows('alpha', 'running');
      expect(await look('alpha')).toEqual(alpha);
      await panel.does('/servers/by-hand/jobs', { operation: 'start' });
      await shows('by-hand', 'running');
      await panel.does('/servers/by-hand/jobs', { operation: 'delete' });
    });
  });
}
