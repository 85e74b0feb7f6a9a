import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import { PASSWORD } from './installation.js';
import type { Machine } from './machine.js';
import { Panel } from './panel.js';

const NAME = 'passed-on';

/** The journal keeps what a unit said; the name of a deleted server may be the next user's. */
export function testNamesAgain(machine: Machine, admin: Panel, url: string): void {
  async function startSaying(panel: Panel, map: string): Promise<void> {
    const blueprintId = await panel.make('blueprints', { name: map, overlays: [], arguments: ['+map', map] });
    await panel.make('servers', { name: NAME, blueprintId });
    await panel.does(`/servers/${NAME}/jobs`, { operation: 'start' });
    await eventually('its log has the map', async () => (await logOf(panel)).includes(`"${map}"`));
  }
  const logOf = async (panel: Panel) => (await panel.logs(NAME, 'lines=2000')).map(({ line }) => line).join('\n');
  const byHand = () => machine.get('l4d2ctl', 'logs', NAME, '--lines', '2000', '--no-follow');

  describe('a server’s name that goes to another user', () => {
    it('takes no line of the earlier server’s log along', async () => {
      await startSaying(admin, 'first_owner');
      expect(await byHand()).toContain('"first_owner"');
      await admin.does(`/servers/${NAME}/jobs`, { operation: 'delete' });
      expect(await byHand()).toBe('');
      await admin.ask('DELETE', `/servers/${NAME}`);

      await admin.make('users', { name: 'next-owner', password: PASSWORD, role: 'user' });
      const next = new Panel(url);
      await next.logIn('next-owner', PASSWORD);
      await startSaying(next, 'next_owner');
      expect(await machine.get('journalctl', `--unit=left4me-server@${NAME}.service`)).toContain('"first_owner"');
      for (const log of [await logOf(next), await byHand()]) {
        expect(log).toContain('"next_owner"');
        expect(log).not.toContain('first_owner');
      }
      await next.does(`/servers/${NAME}/jobs`, { operation: 'delete' });
    });
  });
}
