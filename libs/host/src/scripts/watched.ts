import type { Run } from '../host.js';
import { pause } from '../process/pause.js';
import { DiskUse } from './disk-use.js';
import type { ScriptLimits } from './script-limits.js';

const LOOK_MS = 250;
/** Counting files takes at most this part of the time. */
const COUNTING_PART = 1 / 5;

export interface Watch {
  /** What the script can write to; all on one filesystem. */
  folders: readonly [string, ...string[]];
  limits: ScriptLimits;
  /** Throws when something else is over its limit. */
  check: () => void;
}

/**
 * Does the work and looks at its limits meanwhile, and once more when it is done. Over one of them, the work's signal aborts, and what is
 * thrown is the limit that stopped it (`ScriptStopped`).
 */
export async function watched({ folders, limits, check }: Watch, run: Run, work: (run: Run) => Promise<void>) {
  const over = new AbortController();
  const done = new AbortController();
  const signal = AbortSignal.any([run.signal, over.signal]);
  const watching = look().catch((error: unknown) => over.abort(error));
  try {
    await work({ output: run.output, signal });
  } catch (error) {
    throw over.signal.aborted ? over.signal.reason : error;
  } finally {
    done.abort();
    await watching;
  }
  await DiskUse.check(folders, limits, run.signal);

  async function look(): Promise<void> {
    let countAt = 0;
    // A command that was only just begun does not hear SIGTERM.
    await pause(LOOK_MS, done.signal);
    while (!done.signal.aborted) {
      check();
      await DiskUse.checkFree(folders[0], limits);
      const begun = performance.now();
      if (begun >= countAt) {
        await DiskUse.check(folders, limits, done.signal);
        countAt = performance.now() + (performance.now() - begun) * (1 / COUNTING_PART - 1);
      }
      await pause(LOOK_MS, done.signal);
    }
  }
}
