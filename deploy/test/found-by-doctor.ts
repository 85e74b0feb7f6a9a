import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from './machine.js';

const SUDOERS = '/etc/sudoers.d/left4me';
const SCRIPT_UNIT = '/usr/local/lib/systemd/system/left4me-script@.service';
const LIMITS = '/etc/systemd/system/left4me-server@.service.d/limits.conf';

/** Breaks what keeps servers under systemd running, a thing at a time, and asks doctor; everything is as it was afterwards. */
export function testFoundByDoctor(machine: Machine): void {
  /** What it says and ends with while something is broken. */
  async function ask(broken: () => Promise<unknown>, mended: () => Promise<unknown>) {
    await broken();
    try {
      const { code, stdout } = await machine.run(['left4me', 'doctor', '--role', 'worker']);
      return { code, stdout };
    } finally {
      await mended();
    }
  }
  const edited = (file: string, how: string) =>
    [
      async () => {
        await machine.get('cp', '--preserve=all', file, '/root/kept');
        await machine.get('sed', '--in-place', how, file);
      },
      () => machine.get('mv', '/root/kept', file),
    ] as const;

  describe('left4me doctor', () => {
    it.each([
      ['enable server', /^left4me.*enable.*$/],
      ['reset-failed server', /^left4me.*reset-failed left4me-server.*$/],
      ['start script', /^left4me.*left4me-script.*$/],
    ])('finds that sudo does not allow %s units', async (what, rule) => {
      const { code, stdout } = await ask(...edited(SUDOERS, `/${rule.source}/d`));
      expect(code).toBe(1);
      expect(stdout).toMatch(new RegExp(`^BAD +rights: this user may not ${what} units`, 'm'));
    });

    it('finds a worker that does not start with the machine, limits that no server has, and scripts without a unit', async () => {
      const { stdout } = await ask(
        async () => {
          await machine.get('mv', LIMITS, SCRIPT_UNIT, '/root');
          await machine.get('systemctl', 'disable', 'left4me-worker.service');
        },
        async () => {
          await machine.get('mv', `/root/${basename(LIMITS)}`, LIMITS);
          await machine.get('mv', `/root/${basename(SCRIPT_UNIT)}`, SCRIPT_UNIT);
          await machine.get('systemctl', 'enable', 'left4me-worker.service');
        },
      );
      expect(stdout).toMatch(/^warning +left4me-worker\.service: it is disabled: it does not start with the machine/m);
      expect(stdout).toContain('systemctl enable --now left4me-worker.service');
      expect(stdout).toMatch(/^warning +scripts of overlays: .* is not-found; run deploy\/install.sh again$/m);
      expect(stdout).toMatch(/^warning +limits: servers have those of the unit, not those of host\.env/m);
    });

    it('finds nothing of it afterwards', async () => {
      const { stdout } = await machine.run(['left4me', 'doctor', '--role', 'worker']);
      for (const about of ['limits', 'left4me-worker.service', 'rights', 'scripts of overlays'])
        expect(stdout).toMatch(new RegExp(`^good +${about}:`, 'm'));
    });
  });
}
