import { describe, expect, it } from 'vitest';
import type { Machine } from './machine.js';
import type { Panel } from './panel.js';
import { ScriptBuilds } from './script-builds.js';

/** An overlay of nobody's. */
const NOBODYS = 9998;
/** Runs scripts as the worker does, with limits of its own, and prints how each ended. Argument: pairs of limits and script. */
const WITH_LIMITS = `
  import { CommandRecords } from '/opt/left4me/libs/host/dist/process/command-records.js';
  import { CommandRunner } from '/opt/left4me/libs/host/dist/process/command-runner.js';
  import { Builds } from '/opt/left4me/libs/host/dist/runtime/builds.js';
  import { ScriptBuilds } from '/opt/left4me/libs/host/dist/scripts/script-builds.js';
  import { SCRIPT_LIMITS } from '/opt/left4me/libs/host/dist/scripts/script-limits.js';
  import { ScriptUnit } from '/opt/left4me/libs/host/dist/scripts/script-unit.js';
  const root = '/var/lib/left4me';
  const unit = new ScriptUnit(new CommandRunner(false, new CommandRecords(root + '/cache/commands')));
  const run = { signal: new AbortController().signal, output: { write: async () => undefined, progress: () => undefined } };
  const ends = [];
  for (const [limits, script] of JSON.parse(process.argv[1])) {
    const builds = new ScriptBuilds(root, new Builds(root), unit, { ...SCRIPT_LIMITS, ...limits });
    const end = builds.build({ overlay: ${NOBODYS}, script, refuse: [] }, run);
    ends.push(await end.then(() => 'success', (error) => error.message));
    await builds.discard(${NOBODYS});
  }
  console.log(JSON.stringify(ends));
`;
const STUBBORN = `trap '' TERM INT HUP; (setsid sleep 87654 &) ; while :; do sleep 1; done`;

/** The limits of scripts, in the unit as it was installed. */
export function testScriptLimits(machine: Machine, panel: Panel): void {
  const builds = new ScriptBuilds(panel);

  describe('a script over a limit', () => {
    it('is stopped, and its job says which: disk, and the length of a path', async () => {
      const disk = await builds.build(await builds.overlay('much', 'truncate -s 9G a b; sleep 100'));
      const much = 'the script was stopped: it has written more than 16 GiB';
      expect(disk).toMatchObject({ state: 'failed', error: much });
      const deep = 'n=$(printf %0200d 0); for i in $(seq 30); do mkdir $n; cd $n; done; sleep 100';
      const long = await builds.build(await builds.overlay('deep', deep));
      expect(long).toMatchObject({ state: 'failed', error: expect.stringContaining('is longer than 2048 bytes') });
    });

    it('is stopped, and told which: time, number of files', async () => {
      const scripts = [
        [{ seconds: 1 }, STUBBORN],
        [{ entries: 300 }, 'for i in $(seq 400); do mkdir d$i; done; sleep 100'],
        [{}, 'true'],
      ];
      const command = ['runuser', '-u', 'left4me', '--', 'node', '--input-type=module', '--eval', WITH_LIMITS];
      expect(JSON.parse(await machine.get(...command, JSON.stringify(scripts)))).toEqual([
        'the script did not end within 1 s and was stopped',
        'the script was stopped: it has made more than 300 files and folders',
        'success',
      ]);
      expect((await machine.run(['pgrep', '--full', 'sleep 87654'])).stdout).toBe('');
    });

    it('gets no more memory: what wants it is killed, and the job says so', async () => {
      // Two that have room one by one; the first to end decides. (A string of "x" x 1.3e9 would be made twice by each.)
      const eat = `perl -e 'vec($all, 1.3e9, 8) = 1; sleep 100' & `;
      const { state, error } = await builds.build(await builds.overlay('greedy', `${eat}${eat}wait -n`));
      expect({ state, error }).toEqual({ state: 'failed', error: expect.stringMatching(/more than 2 GiB of memory/) });
    });

    it('is stopped, and its job says which: processes', async () => {
      const bomb = await builds.build(await builds.overlay('bomb', 'bomb() { bomb | bomb & }; bomb; sleep 100'));
      const many = 'the script was stopped: it runs more than 256 processes';
      expect(bomb, bomb.log.join('\n')).toMatchObject({ state: 'failed', error: many });
    });
  });
}
