import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import type { Machine } from './machine.js';
import type { Panel } from './panel.js';
import { startScripted } from './scripted-server.js';

/** Lives long enough to have started, then ends. */
const CRASHING = '#!/bin/sh\necho up\nsleep 1.2\nexit 3\n';
/** Takes ever more memory, in steps. */
const GREEDY = `#!/bin/sh
echo up
sleep 1.2
exec node -e 'const all = []; setInterval(() => all.push(Buffer.alloc(32 * 1024 * 1024, 1)), 20)'
`;

/** Servers that fail, with their reason on screen at once. */
export function testFailures(machine: Machine, panel: Panel): void {
  /** Starts a server of that program; resolves with how long after systemd gave it up the panel said so, in ms. */
  async function startFailing(name: string, program: string): Promise<number> {
    await startScripted(name, program, machine, panel);
    const unit = `left4me-server@${name}.service`;
    const hasFailed = async () => (await machine.unit(unit, 'ActiveState'))['ActiveState'] === 'failed';
    await eventually(`systemd gives ${name} up`, hasFailed, 90);
    const began = performance.now();
    await eventually(`${name} is shown as failed`, async () => (await panel.server(name)).actualState === 'failed', 10);
    return performance.now() - began;
  }

  describe('servers that fail', () => {
    it('are given up after some crashes in a minute, which is shown within a second with the reason', async () => {
      const reasons = { crashing: /ended with code 3.*systemd gave up/, greedy: /ran out of memory/ };
      // Together, because each takes its time.
      const took = await Promise.all([startFailing('crashing', CRASHING), startFailing('greedy', GREEDY)]);
      for (const [index, [name, reason]] of Object.entries(reasons).entries()) {
        const { lastError } = await panel.server(name);
        console.log(`      ${name}: shown as failed after ${took[index]?.toFixed(0)} ms: ${lastError}`);
        expect(lastError).toMatch(reason);
        expect(took[index]).toBeLessThan(1000);
      }
    });

    it('had the memory that host.env allows', async () => {
      const { MemoryMax } = await machine.unit('left4me-server@greedy.service', 'MemoryMax');
      expect(Number(MemoryMax)).toBe(300 * 1024 ** 2);
    });
  });
}
