import { createHash } from 'node:crypto';
import { CommandFailed, ScriptStopped } from '../errors.js';
import type { Run, ScriptBuild } from '../host.js';
import { numericId } from '../instances/names.js';
import { DirHandle } from '../overlay/dir-handle.js';
import type { Builds } from '../runtime/builds.js';
import { DiskUse } from './disk-use.js';
import { ForwardProxy } from './forward-proxy.js';
import { type Network, NETWORK } from './network.js';
import type { ScriptSandbox } from './sandbox.js';
import { SCRIPT_LIMITS, type ScriptLimits, told, toldLimits } from './script-limits.js';
import { ScriptPlace } from './script-place.js';

/** 128 + SIGKILL. */
const KILLED = 137;

/** Makes builds/<overlay>/ by running an overlay's script in a sandbox. */
export class ScriptBuilds {
  constructor(
    private readonly root: string,
    private readonly builds: Builds,
    private readonly sandbox: ScriptSandbox,
    private readonly limits: ScriptLimits = SCRIPT_LIMITS,
    private readonly network: Network = NETWORK,
  ) {}

  /** See `Host.buildScript`. */
  async build({ overlay, script, refuse }: ScriptBuild, run: Run): Promise<void> {
    const id = numericId('overlay', overlay);
    await this.sandbox.require(run);
    const { place, build } = await this.prepare(id, script);
    await DiskUse.checkFree(place.output, this.limits);
    const say = (line: string): Promise<void> => run.output.write('stdout', `left4me: ${line}`);
    const hash = createHash('sha256').update(script).digest('hex');
    await say(`script ${hash.slice(0, 12)}, ${script.split('\n').length} lines, on build ${build} of the game`);
    await say(`its limits: ${toldLimits(this.limits)}`);
    let telling: Promise<void> = Promise.resolve();
    const onFailed = (sentence: string): void => {
      telling = telling.then(() => run.output.write('stderr', `left4me: ${sentence}`));
      telling.catch(() => undefined); // thrown below
    };
    const folder = await DirHandle.open(place.run);
    try {
      // A socket's path has 107 bytes at most; this one is short, wherever the root is.
      const proxy = await ForwardProxy.listen(folder.at('proxy'), { network: this.network, refuse, onFailed });
      try {
        await this.sandbox.run(place, this.limits, run);
      } finally {
        await proxy.close();
        await telling;
      }
    } catch (error) {
      // What is over a limit may lie in the cache, and would stop each further build.
      if (error instanceof ScriptStopped) {
        await place.clearCache();
        await say('its cache was emptied');
      }
      throw error instanceof CommandFailed && error.exitCode === KILLED ? this.killed(error) : error;
    } finally {
      await folder.close();
      await place.clear();
    }
  }

  /** Nothing tells who killed it; where the service manager does not know better, it is the kernel for want of memory. */
  private killed({ exitCode, command, message }: CommandFailed): CommandFailed {
    const most = told(this.limits.memoryBytes);
    return new CommandFailed(exitCode, command, `${message}: killed, as is what uses more than ${most} of memory`);
  }

  /** An install that runs beside may make another build current, and remove this one, unless the place names it before. */
  private async prepare(id: string, script: string): Promise<{ place: ScriptPlace; build: string }> {
    for (;;) {
      const build = await this.builds.require();
      const place = new ScriptPlace(this.root, id, this.builds.path(build));
      await place.prepare(script, this.sandbox.programs);
      if ((await this.builds.current()) === build) return { place, build };
    }
  }

  /** Removes what a build has made, when it was published or is of no use any more, also what a killed worker left. Missing: success. */
  async discard(overlay: number): Promise<void> {
    const id = numericId('overlay', overlay);
    await ScriptPlace.discard(this.root, id);
    await this.sandbox.forget(id);
  }
}
