import { describe, expect, it } from 'vitest';
import { type Installation, SECRET } from './installation.js';
import type { Machine } from './machine.js';

/** What root has put on the machine, and what it must not have. */
export function testInstalledFiles(machine: Machine, installation: Installation): void {
  describe('what the installer leaves', () => {
    it('has no file of the checkout that people keep passwords in', async () => {
      const found = await machine.run([
        'grep',
        '--recursive',
        '--files-with-matches',
        '--exclude-dir=node_modules',
        SECRET,
        '/opt',
      ]);
      // 1: nowhere; 2 would be a grep that could not look.
      expect(found).toEqual({ code: 1, stdout: '', stderr: '' });
    });

    // left4me may put anything into its folder, and root comes by at every upgrade.
    it.each(['overlays', 'drafts', 'trash'])('gives nobody what a link in the place of %s leads to', async (name) => {
      const folder = `/var/lib/left4me/${name}`;
      const owner = await machine.get('stat', '--format=%U:%G %a', '/etc');
      await machine.get('mv', folder, `${folder}.away`);
      await machine.get('runuser', '-u', 'left4me', '--', 'ln', '-s', '/etc', folder);
      const { code, stderr } = await installation.install();
      await machine.get('rm', folder);
      await machine.get('mv', `${folder}.away`, folder);
      expect(await machine.get('stat', '--format=%U:%G %a', '/etc')).toBe(owner);
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: expect.stringContaining(`${folder} is a directory of root`),
      });
    });

    it('is left alone while a job runs', async () => {
      const ask = (sql: string) =>
        machine.get('runuser', '-u', 'postgres', '--', 'psql', '-qtA', '--dbname=left4me', `--command=${sql}`);
      const id = await ask(
        "INSERT INTO jobs (operation, state, host_id, started_at) VALUES ('install', 'running', 1, now()) RETURNING id",
      );
      const { code, stderr } = await installation.install();
      await ask(`DELETE FROM jobs WHERE id = ${id}`);
      expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining(`install (job ${id})`) });
    });
  });
}
