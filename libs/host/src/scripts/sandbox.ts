import type { Run } from '../host.js';
import type { ScriptLimits } from './script-limits.js';
import type { ScriptPlace } from './script-place.js';

/** How the folders of a script are called inside its sandbox. */
export const INSIDE = { overlay: '/overlay', cache: '/cache', game: '/game', run: '/run/left4me' } as const;

const PROXY = 'http://127.0.0.1:3128';

/** All that a script knows about the world. left4me-script@.service sets the same. */
export const SCRIPT_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'C.UTF-8',
  HOME: '/tmp',
  TMPDIR: '/tmp',
  LEFT4ME_OVERLAY: INSIDE.overlay,
  LEFT4ME_CACHE: INSIDE.cache,
  LEFT4ME_GAME: INSIDE.game,
  http_proxy: PROXY,
  https_proxy: PROXY,
  all_proxy: PROXY,
};

/** Where a script runs. Nothing ever runs outside of one. */
export interface ScriptSandbox {
  /** left4me's own programs that are used inside. */
  readonly programs: readonly string[];

  /** Throws `NotSupported`, with the reason, where this machine has no such sandbox. Makes nothing. */
  require(run: Run): Promise<void>;
  /**
   * Runs the script of a prepared place. Throws `CommandFailed` with the script's code, `Interrupted`, `TimedOut` or `ScriptStopped`;
   * however it ends, no process of it is left.
   */
  run(place: ScriptPlace, limits: ScriptLimits, run: Run): Promise<void>;
  /** Nobody asks any more how the last script of that overlay ended, if one ran. */
  forget(overlay: string): Promise<void>;
}

/** What a sandbox runs: the script, with its way out. `node` is the program as it is seen inside. */
export function insideCommand(node: string, limits: ScriptLimits): string[] {
  // Each process's own. Of all together: the sandbox's, or the watch's.
  const each = [
    `--nproc=${limits.tasks}`,
    `--fsize=${limits.diskBytes}`,
    `--data=${limits.memoryBytes}`,
    '--nofile=4096',
    '--core=0',
  ];
  const script = ['/usr/bin/prlimit', ...each, '--', '/bin/bash', `${INSIDE.run}/script`];
  return [node, `${INSIDE.run}/run-script.mjs`, `${INSIDE.run}/proxy`, ...script];
}
