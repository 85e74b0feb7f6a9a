import { describe, expect, it } from 'vitest';
import type { Machine } from './machine.js';

/** Tries to do as root what sudo is not there for. */
export function testRights(machine: Machine): void {
  describe('the rights of the worker', () => {
    const unit = 'left4me-server@alpha.service';
    const attempts: string[][] = [
      ['start', unit],
      ['enable', '--now', unit],
      ['enable', '--now', '--no-block', unit, 'ssh.service'],
      ['enable', '--now', '--no-block', 'ssh.service'],
      ['enable', '--now', '--no-block', 'left4me-server@../../ssh.service'],
      ['enable', '--now', '--no-block', '--root=/tmp', unit],
      ['--root=/tmp', 'enable', '--now', '--no-block', unit],
      ['enable', '--now', '--no-block', '/tmp/left4me-server@alpha.service'],
      ['enable', '--now', '--no-block', `${unit}\nssh.service`],
      ['enable', '--now', '--no-block', `ssh.service\n${unit}`],
      ['enable', '--now', '--no-block', 'left4me-server@*.service'],
      ['enable', '--now', '--no-block', 'left4me-server@ALPHA.service'],
      ['enable', '--now', '--no-block', `left4me-server@${'a'.repeat(33)}.service`],
      ['start', 'left4me-script@../../ssh.service'],
      ['start', 'left4me-script@0.service'],
      ['start', 'left4me-script@1.service', 'ssh.service'],
      ['enable', 'left4me-script@1.service'],
      ['reset-failed'],
      ['reset-failed', unit, 'ssh.service'],
      ['link', '/tmp/left4me-server@alpha.service'],
      ['edit', unit],
      ['set-property', unit, 'MemoryMax=infinity'],
      ['show', unit],
      ['poweroff'],
    ];
    const asUser = (user: string, ...command: string[]) => machine.run(['runuser', '-u', user, '--', ...command]);
    const refused = /a password is required|not allowed|may not run/;

    it('are three words about its own servers, three about its scripts, and no others', async () => {
      const may = await asUser('left4me', 'sudo', '-n', '/usr/bin/systemctl', 'reset-failed', unit);
      expect(may).toMatchObject({ code: 0 });
      const script = 'left4me-script@1.service';
      expect(await asUser('left4me', 'sudo', '-n', '/usr/bin/systemctl', 'stop', script)).toMatchObject({ code: 0 });
      for (const words of attempts) {
        const { code, stderr } = await asUser('left4me', 'sudo', '-n', '/usr/bin/systemctl', ...words);
        expect({ words, code, stderr }).toEqual({ words, code: 1, stderr: expect.stringMatching(refused) });
      }
      // sudo compares words joined by spaces, so this gets through; systemctl does not split them again.
      const joined = await asUser('left4me', 'sudo', '-n', '/usr/bin/systemctl', 'enable --now --no-block', unit);
      expect(joined).toMatchObject({ code: 1, stderr: expect.stringMatching(/Unknown command verb/) });
      for (const program of ['/bin/sh', '/usr/bin/systemd-run', '/usr/bin/journalctl']) {
        const { code, stderr } = await asUser('left4me', 'sudo', '-n', program);
        expect({ program, code, stderr }).toEqual({ program, code: 1, stderr: expect.stringMatching(refused) });
      }
      console.log(`      ${attempts.length + 3} abuses of sudo were refused`);
    });

    it('are not those of the API', async () => {
      const word = ['enable', '--now', '--no-block', unit];
      for (const words of [word, ...attempts]) {
        const { code, stderr } = await asUser('left4me-web', 'sudo', '-n', '/usr/bin/systemctl', ...words);
        expect({ words, code, stderr }).toEqual({ words, code: 1, stderr: expect.stringMatching(refused) });
      }
    });
  });
}
