import { describe, expect, it } from 'vitest';
import { askInfo } from './a2s.js';
import { eventually } from './eventually.js';
import type { Machine } from './machine.js';
import type { Panel } from './panel.js';

const NAME = 'survivor';
const PORT = 27_031;
const UNIT = `left4me-server@${NAME}.service`;
const CFG = 'left4dead2/cfg/pack.cfg';
const DATABASE = 'left4dead2/stats.sq3';
/** Of every file that the server sees, but for what the demo server itself writes at each start. */
const HASHES = `cd "$1" && find . -type f ! -path './left4dead2/logs/*' ! -name clientprefs-sqlite.sq3 -print0 | sort -z | xargs -0 sha256sum`;

/** A server that crashes after its overlay was built anew and it was initialized: systemd starts it, not the panel. */
export function testCrashRestart(machine: Machine, panel: Panel): void {
  /** The program that is the server, by the port only it has. */
  const program = () => machine.get('pgrep', '--full', `^[^ ]*node .*srcds.mjs.* -port ${PORT}`);
  const inside = async (path: string) => `/proc/${await program()}/root/game/${path}`;
  const seen = async () => machine.get('sh', '-c', HASHES, 'sh', await inside('.'));
  /** As the server's own user: of no other user's files its mount can take any. */
  const write = async (path: string, content: string) => {
    const uid = await machine.get('id', '-u', 'left4me');
    const asServer = ['--user', '--setuid', uid, '--setgid', uid, '--target', await program()];
    expect(await machine.run(['nsenter', ...asServer, 'tee', await inside(path)], content)).toMatchObject({ code: 0 });
  };
  const publish = async (overlay: number, content: string) => {
    await panel.ask('PUT', `/overlays/${overlay}/files/content?path=${CFG}`, content);
    await panel.does(`/overlays/${overlay}/builds`);
  };
  const answers = () =>
    eventually(`${NAME} answers`, async () => (await askInfo(machine.address, PORT))?.name === NAME, 60);

  describe('a server that crashes', () => {
    it('is started by systemd with what it had, though there is something newer; a restart brings that', async () => {
      const overlay = await panel.make('overlays', { name: 'seen', catalog: true });
      await publish(overlay, 'one');
      const blueprintId = await panel.make('blueprints', { name: 'seen', overlays: [{ overlayId: overlay }] });
      await panel.make('servers', { name: NAME, title: NAME, blueprintId, port: PORT });
      await panel.does(`/servers/${NAME}/jobs`, { operation: 'start' });
      await answers();
      await write(DATABASE, 'statistics');
      const [before, crashed] = [await seen(), await program()];
      expect(before.split('\n').length).toBeGreaterThan(5);
      expect(before).toContain(`./${CFG}`);
      expect(before).toContain(`./${DATABASE}`);

      await publish(overlay, 'two');
      await panel.does(`/servers/${NAME}/jobs`, { operation: 'initialize' });
      expect(await seen()).toBe(before);
      await machine.get('kill', '-KILL', crashed);
      await eventually('systemd has started it again', async () => {
        const { NRestarts, SubState } = await machine.unit(UNIT, 'NRestarts', 'SubState');
        return NRestarts === '1' && SubState === 'running';
      });
      await answers();
      expect(await program()).not.toBe(crashed);
      expect(await seen()).toBe(before);

      await panel.does(`/servers/${NAME}/jobs`, { operation: 'restart' });
      await answers();
      expect(await machine.get('cat', await inside(CFG))).toBe('two');
      expect(await machine.get('cat', await inside(DATABASE))).toBe('statistics');
      await panel.does(`/servers/${NAME}/jobs`, { operation: 'delete' });
    });
  });
}
