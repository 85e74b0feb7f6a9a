import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import type { Machine } from './machine.js';
import type { Panel } from './panel.js';
import { startScripted } from './scripted-server.js';
import { seenAfter } from './seen-after.js';

/** Its first run goes on until somebody ends that `sleep`, so that it has surely started; those after it fail at once. */
const failing = (sleep: string, how: string) => `#!/bin/sh
echo up
[ -e begun ] || { : >begun; ${sleep}; }
${how}
`;
/** Takes ever more memory, in steps. */
const TAKING = `exec node -e 'const all = []; setInterval(() => all.push(Buffer.alloc(32 * 1024 * 1024, 1)), 20)'`;

/** Servers that fail, with their reason on screen at once. */
export function testFailures(machine: Machine, panel: Panel): void {
  /** Starts a server that fails like this; resolves with how long after systemd gave it up the panel said so, in ms. */
  async function startFailing(name: string, sleep: string, how: string): Promise<number> {
    await startScripted(name, failing(sleep, how), machine, panel);
    const begin = async () => (await machine.run(['pkill', '--full', `^${sleep}$`])).code === 0;
    await eventually(`${name} waits until it is told to fail`, begin);
    return seenAfter(name, 'failed', machine, panel, 90);
  }

  describe('servers that fail', () => {
    it('are given up after some crashes in a minute, which is shown within a second with the reason; their memory is what host.env allows', async () => {
      const reasons = { crashing: /ended with code 3.*systemd gave up/, greedy: /ran out of memory/ };
      // Together, because each takes its time.
      const took = await Promise.all([
        startFailing('crashing', 'sleep 65432', 'exit 3'),
        startFailing('greedy', 'sleep 65433', TAKING),
      ]);
      for (const [index, [name, reason]] of Object.entries(reasons).entries()) {
        const { lastError } = await panel.server(name);
        console.log(`      ${name}: shown as failed after ${took[index]?.toFixed(0)} ms: ${lastError}`);
        expect(lastError).toMatch(reason);
        expect(took[index]).toBeGreaterThanOrEqual(0);
        expect(took[index]).toBeLessThan(1000);
      }
      const { MemoryMax } = await machine.unit('left4me-server@greedy.service', 'MemoryMax');
      expect(Number(MemoryMax)).toBe(300 * 1024 ** 2);
    });
  });
}
