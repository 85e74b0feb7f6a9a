import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import type { Machine } from './machine.js';
import type { Panel } from './panel.js';
import { ScriptBuilds } from './script-builds.js';

const FOLDERS = ['builds', 'cache/script-runs', 'cache/script-tmp'];
/** Ends by itself at no signal but SIGKILL, and has left a daemon. */
const ENDLESS = `trap '' TERM INT HUP
echo half >left4dead2.txt
(setsid sleep 76543 >/dev/null 2>&1 &)
echo begun
while :; do sleep 76543; done`;

/** Scripts that are ended in the middle, in the unit as it was installed. */
export function testScriptEnds(machine: Machine, panel: Panel): void {
  const builds = new ScriptBuilds(panel);
  const programs = async () =>
    (await machine.run(['pgrep', '--full', '^sleep 76543'])).stdout.trim().split('\n').length;

  /** An overlay with a revision, and a job that builds it anew and does not end. */
  async function running(name: string): Promise<{ overlay: number; job: number }> {
    const overlay = await builds.overlay(name, 'echo whole >left4dead2.txt');
    expect(await builds.build(overlay)).toMatchObject({ state: 'succeeded' });
    await builds.write(overlay, ENDLESS);
    const job = await builds.queue(overlay);
    await eventually('the script runs', async () => (await builds.log(job)).includes('begun'));
    await eventually('it has a daemon', async () => (await programs()) === 2);
    return { overlay, job };
  }

  async function expectNothingLeft(overlay: number): Promise<void> {
    expect((await machine.run(['pgrep', '--full', 'sleep 76543'])).stdout).toBe('');
    // Nor as failed, which an administrator would look at.
    const { ActiveState } = await machine.unit(`left4me-script@${overlay}.service`, 'ActiveState');
    expect(ActiveState).toBe('inactive');
    for (const folder of FOLDERS) {
      expect(await machine.get('find', `/var/lib/left4me/${folder}`, '-mindepth', '1'), folder).toBe('');
    }
    expect(await builds.current(overlay)).toBe(1);
    await builds.write(overlay, 'echo anew >left4dead2.txt');
    expect(await builds.build(overlay)).toMatchObject({ state: 'succeeded' });
    expect(await machine.get('cat', `/var/lib/left4me/overlays/${overlay}/2/left4dead2.txt`)).toBe('anew');
  }

  describe('a script that runs', () => {
    it('ends with all it has started within 10 s when its job is cancelled', async () => {
      const { overlay, job } = await running('cancelled');
      const began = performance.now();
      await panel.ask('POST', `/jobs/${job}/cancel`);
      expect(await panel.ended(job)).toMatchObject({ state: 'cancelled' });
      const took = performance.now() - began;
      console.log(`      cancelled within ${took.toFixed(0)} ms`);
      expect(took).toBeLessThan(10_000);
      await expectNothingLeft(overlay);
    });

    it('ends with the worker, whose successor says so and leaves nothing of it', async () => {
      const { overlay, job } = await running('orphaned');
      const { MainPID } = await machine.unit('left4me-worker.service', 'MainPID');
      const began = performance.now();
      await machine.get('kill', '-KILL', MainPID ?? '');
      await eventually('it is gone', async () => (await machine.run(['pgrep', '--full', 'sleep 76543'])).stdout === '');
      console.log(`      gone ${(performance.now() - began).toFixed(0)} ms after kill -9 of the worker`);
      const interrupted = 'interrupted: the worker ended while the job ran';
      expect(await panel.ended(job)).toMatchObject({ state: 'failed', error: interrupted });
      await expectNothingLeft(overlay);
    });
  });
}
