import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from './eventually.js';
import { SERVER_CPU_PERCENT } from './installation.js';
import type { Machine } from './machine.js';
import type { Panel } from './panel.js';
import { startScripted } from './scripted-server.js';

/** Of processor time, over which its share is measured. */
const SECONDS = 2.4;
/** In which it has them: a limit is no reason to get next to nothing. */
const WITHIN_SECONDS = 12;
const status = z.object({ usage: z.object({ cpuSeconds: z.number() }) });
/** Would use all of a processor. */
const BUSY = `#!/bin/sh
echo up
while :; do :; done
`;

/** The limit of processor time of /etc/left4me/host.env; that of memory: failing-servers.ts, of tasks: isolation.ts. */
export function testLimits(machine: Machine, panel: Panel): void {
  async function secondsUsed(): Promise<number> {
    return status.parse(JSON.parse(await machine.get('l4d2ctl', 'status', 'busy', '--json'))).usage.cpuSeconds;
  }

  describe('a server that is too busy', () => {
    it('gets no more processor time than its limit, which the panel shows', async () => {
      await startScripted('busy', BUSY, machine, panel);
      const began = performance.now();
      const before = await secondsUsed();
      let used = 0;
      const hasHad = async () => (used = (await secondsUsed()) - before) >= SECONDS;
      await eventually(`it has had ${SECONDS} s of a processor`, hasHad, WITHIN_SECONDS);
      const share = (100 * used) / ((performance.now() - began) / 1000);
      console.log(`      it had ${share.toFixed(0)} % of a processor`);
      expect(share).toBeLessThan(SERVER_CPU_PERCENT + 5);
      await eventually(
        'the panel shows it',
        async () => (await panel.server('busy')).usage?.cpuLimitPercent === SERVER_CPU_PERCENT,
      );
      await panel.does('/servers/busy/jobs', { operation: 'stop' });
    });
  });
}
