import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from './eventually.js';
import type { Machine } from './machine.js';
import type { Panel } from './panel.js';

const PROGRAM = readFileSync(join(import.meta.dirname, 'quiet-server.c'), 'utf8');
const COUNT = 50;
/** Longer than the 30 s between two polls. */
const SPAN_SECONDS = 31;
const MOST_SECONDS = 5 * SPAN_SECONDS;
/** Of a core. */
const IDLE_SHARE = 0.01;
const LOOKS = 20;
/** In ms. */
const MOST_OF_LOOK = 50;
const MOST_ROUNDS = 5;
const looked = z.object({ running: z.number(), rounds: z.array(z.object({ own: z.number(), systemd: z.number() })) });
const servers = z.object({ items: z.array(z.object({ name: z.string(), ready: z.boolean().nullable() })) });
const WORKER = 'left4me-worker.service';
/**
 * Reads all states as the poller does, and tells the processor time of a look in ms: of itself and its children, and of systemd. In
 * rounds, until one says it is cheap: what else the processors do makes a look dearer, and never cheaper.
 */
const LOOK = `
  import { readFileSync } from 'node:fs';
  import { openHost } from '/opt/left4me/libs/host/dist/index.js';
  const ticks = (pid, children) => {
    const fields = readFileSync('/proc/' + pid + '/stat', 'utf8').replace(/^.*\\) /, '').split(' ');
    return fields.slice(11, children ? 15 : 13).reduce((sum, field) => sum + Number(field), 0);
  };
  const host = await openHost({ root: '/var/lib/left4me', serviceManager: 'systemd', assumeIsolation: 'namespaces' });
  // As in the worker: what systemd tells of changes need not be asked again.
  const abort = new AbortController();
  const watching = (async () => { for await (const name of host.watch(abort.signal)); })();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await host.status();
  const rounds = [];
  let running = 0;
  do {
    const before = [ticks('self', true), ticks(1, false)];
    for (let look = 0; look < ${LOOKS}; look++) running = (await host.status()).filter(({ state }) => state === 'running').length;
    const after = [ticks('self', true), ticks(1, false)];
    // A tick is 10 ms (sysconf(_SC_CLK_TCK) is 100).
    rounds.push({ own: (after[0] - before[0]) * 10 / ${LOOKS}, systemd: (after[1] - before[1]) * 10 / ${LOOKS} });
  } while (rounds.length < ${MOST_ROUNDS} && rounds.at(-1).own + rounds.at(-1).systemd > ${MOST_OF_LOOK});
  abort.abort();
  await watching;
  console.log(JSON.stringify({ running, rounds }));
`;

/** What fifty servers that nobody plays on cost the worker. */
export function testManyServers(machine: Machine, panel: Panel): void {
  /** Seconds of processor time of the worker and its children. */
  async function workerSeconds(): Promise<number> {
    const { ControlGroup } = await machine.unit(WORKER, 'ControlGroup');
    const files = ['', '/unified'].map((mount) => `/sys/fs/cgroup${mount}${ControlGroup}/cpu.stat`);
    const { stdout } = await machine.run(['cat', ...files]);
    return Number(/^usage_usec (\d+)$/m.exec(stdout)?.[1]) / 1e6;
  }

  describe(`${COUNT} servers`, () => {
    const names = Array.from({ length: COUNT }, (_, i) => `quiet-${i + 1}`);

    it('run', { timeout: 300_000 }, async () => {
      const overlay = await panel.make('overlays', { name: 'quiet', catalog: true });
      const draft = `/var/lib/left4me/drafts/${overlay}`;
      await machine.run(['tee', '/tmp/quiet.c'], PROGRAM);
      await panel.ask('PUT', `/overlays/${overlay}/files/content?path=srcds_run`, 'compiled below');
      await machine.get('tcc', '-o', '/tmp/quiet', '/tmp/quiet.c');
      await machine.get('cp', '/tmp/quiet', `${draft}/srcds_run`);
      await machine.get('chmod', '755', `${draft}/srcds_run`);
      await panel.does(`/overlays/${overlay}/builds`);
      const blueprintId = await panel.make('blueprints', { name: 'quiet', overlays: [{ overlayId: overlay }] });
      for (const name of names) await panel.make('servers', { name, blueprintId });
      const began = Date.now();
      const jobs: number[] = [];
      for (const name of names) jobs.push(await panel.queue(`/servers/${name}/jobs`, { operation: 'start' }));
      for (const id of jobs) expect(await panel.ended(id, 120)).toMatchObject({ state: 'succeeded', error: null });
      console.log(`      started in ${((Date.now() - began) / 1000).toFixed(0)} s`);
      await eventually('the servers are ready', async () => {
        const { items } = servers.parse(await panel.ask('GET', '/servers?limit=100'));
        return items.filter(({ name, ready }) => name.startsWith('quiet-') && ready).length === COUNT;
      });
    });

    it('are looked at cheaply', async () => {
      const answer = await machine.get('runuser', '-u', 'left4me', '--', 'node', '--input-type=module', '--eval', LOOK);
      console.log(`      a look at all states, in ms of processor time: ${answer}`);
      const { running, rounds } = looked.parse(JSON.parse(answer));
      expect(running).toBeGreaterThanOrEqual(COUNT);
      expect(Math.min(...rounds.map(({ own, systemd }) => own + systemd))).toBeLessThanOrEqual(MOST_OF_LOOK);
    });

    it('leave the worker next to nothing to do', { timeout: 300_000 }, async () => {
      // After fifty starts V8 tidies up for some while: the worker is idle when a whole span says so, whenever that began.
      const began = performance.now();
      const looks: { at: number; used: number }[] = [];
      let [at, share] = [0, 1];
      while (share > IDLE_SHARE && at < MOST_SECONDS) {
        if (looks.length > 0) await sleep(1000);
        at = (performance.now() - began) / 1000;
        const used = await workerSeconds();
        const begin = looks.findLast((look) => look.at <= at - SPAN_SECONDS);
        if (begin !== undefined) share = (used - begin.used) / (at - begin.at);
        looks.push({ at, used });
      }
      const { MemoryCurrent } = await machine.unit(WORKER, 'MemoryCurrent');
      const megabytes = Number(MemoryCurrent) / 1e6;
      const { stdout: followers } = await machine.run(['pgrep', '--count', '--exact', 'journalctl']);
      console.log(
        `      the worker, in the ${SPAN_SECONDS} s after the first ${(at - SPAN_SECONDS).toFixed(0)}: ${(share * 100).toFixed(2)} % of a core; ${megabytes.toFixed(0)} MB; journal followers: ${followers.trim()}`,
      );
      expect(followers.trim()).toBe('1');
      expect(share).toBeLessThanOrEqual(IDLE_SHARE);
      expect(megabytes).toBeLessThanOrEqual(150);
    });

    it('are stopped', async () => {
      // All at once, as at a reboot. Each has 20 s, of which fifty on two processors need 12 to 14.
      await machine.get('systemctl', 'stop', 'left4me-server@quiet-*');
      const running = await machine.get('systemctl', 'list-units', '--plain', '--no-legend', 'left4me-server@quiet-*');
      expect(running).toBe('');
    });
  });
}
