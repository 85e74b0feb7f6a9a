import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import type { Machine } from './machine.js';

const PROGRAM = readFileSync(join(import.meta.dirname, 'hostile.c'), 'utf8');
/** A revision that nobody published: as if somebody's overlay had it. */
const OVERLAY = '9999/1';
const REVISION = `/var/lib/left4me/overlays/${OVERLAY}`;

/** Of what hostile.c looks for: what is there on every machine with a panel. */
const OUTSIDE = [
  '/etc/left4me/host.env',
  '/etc/left4me/web.env',
  '/etc/shadow',
  '/etc/sudoers.d/left4me',
  '/var/lib/left4me',
  '/var/lib/postgresql',
  '/opt/left4me',
  '/var/log/journal',
  '/run/systemd',
  '/sys/fs/cgroup',
  '/run/postgresql/.s.PGSQL.5432',
  '/run/redis-left4me/redis-server.sock',
  '/run/dbus/system_bus_socket',
  '/run/systemd/private',
  '/run/systemd/journal/stdout',
];

/** Runs hostile.c in the place of a server, with both service managers, beside servers that run. */
export function testIsolation(machine: Machine): void {
  async function ctl(manager: string, words: readonly string[], input = ''): Promise<string> {
    const ended = await machine.run(['env', `LEFT4ME_SERVICE_MANAGER=${manager}`, 'l4d2ctl', ...words], input);
    expect(ended).toMatchObject({ code: 0 });
    return ended.stdout.trim();
  }

  async function build(): Promise<void> {
    await machine.get('mkdir', '-p', REVISION);
    await machine.run(['tee', '/tmp/hostile.c'], PROGRAM);
    await machine.get('tcc', '-o', `${REVISION}/srcds_run`, '/tmp/hostile.c');
    await machine.get('chown', '-R', 'left4me:left4me', '/var/lib/left4me/overlays/9999');
  }

  /** What a server of that name printed, until a line that begins so; it is removed afterwards. */
  async function play(manager: string, name: string, words: string[], until: string): Promise<string[]> {
    const spec = `port: 27999\noverlays: ["${OVERLAY}"]\narguments: ${JSON.stringify(words)}\n`;
    await ctl(manager, ['initialize', name, '-f', '-'], spec);
    await ctl(manager, ['start', name]);
    let lines: string[] = [];
    await eventually(`it prints ${until}`, async () => {
      const log = await ctl(manager, ['logs', name, '--lines', '200']);
      lines = log.split('\n').map((line) => line.slice(line.indexOf(' ') + 1));
      return lines.some((line) => line.startsWith(until));
    });
    await ctl(manager, ['delete', name]);
    return lines;
  }

  describe('a hostile program in an overlay', () => {
    it('is compiled', async () => {
      await build();
      expect((await machine.run(['test', '-x', `${REVISION}/srcds_run`])).code).toBe(0);
    });

    // So that an attempt is not refused for the wrong reason.
    it('would find outside what it looks for', async () => {
      const found = (await machine.get(`${REVISION}/srcds_run`, 'outside')).split('\n');
      for (const path of OUTSIDE) expect(found).toContainEqual(expect.stringMatching(`^SUCCEEDED .* ${path}$`));
    });

    it.concurrent.each(['systemd', 'process'])('finds nothing, gets nowhere and hurts nobody (%s)', async (manager) => {
      const lines = await play(manager, `hostile-${manager}`, [], 'hostile: done');
      const attempts = lines.filter((line) => /^(refused|SUCCEEDED) /.test(line));
      console.log(`      ${manager}: ${attempts.length} attempts refused`);
      expect(attempts.filter((line) => line.startsWith('SUCCEEDED'))).toEqual([]);
      expect(attempts.length).toBeGreaterThan(50);
    });

    it.concurrent('cannot make more processes than its limit', async () => {
      const { TasksMax } = await machine.unit('left4me-server@alpha.service', 'TasksMax');
      const [last] = (await play('systemd', 'hostile-tasks', ['tasks'], 'refused')).filter((line) =>
        line.startsWith('refused'),
      );
      console.log(`      ${last} of ${TasksMax}`);
      expect(Number(/^refused (\d+) processes$/.exec(last ?? '')?.[1])).toBeLessThan(Number(TasksMax));
    });

    it('is gone afterwards, with all it brought', async () => {
      await machine.get('rm', '-r', '/var/lib/left4me/overlays/9999');
      expect((await machine.run(['pgrep', '--full', 'srcds_run.*27999'])).stdout).toBe('');
    });
  });
}
