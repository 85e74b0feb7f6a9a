import type { Run } from '../host.js';
import { specsOnDisk } from '../instances/specs-on-disk.js';
import { buildsOfScripts } from '../scripts/script-place.js';
import type { Builds } from './builds.js';

/** Decides which builds of the game stay on the disk. */
export class Retention {
  constructor(
    private readonly root: string,
    private readonly builds: Builds,
  ) {}

  /**
   * Removes every build that is not the current one, not named by a generation of any instance, not read by a script, and not the one
   * installed last besides the current one. Says which. For the end of an install, which has the host's builds to itself.
   */
  async collect({ output }: Run): Promise<void> {
    const current = await this.builds.current();
    const [earlier, ...older] = (await this.builds.list())
      .map(({ build }) => build)
      .filter((build) => build !== current);
    if (earlier === undefined || older.length === 0) return;
    const used = await this.inUse();
    for (const build of older.filter((name) => !used.has(name))) {
      await output.write('stdout', `Removing build ${build}: no server uses it, and ${earlier} is kept to go back to.`);
      await this.builds.remove(build);
    }
  }

  /** The builds that some generation pins, whether it runs, ran, or is to be started, and those that scripts read. Throws `InvalidSpec` for a damaged one. */
  private async inUse(): Promise<Set<string>> {
    const used = new Set(await buildsOfScripts(this.root));
    for await (const { build } of specsOnDisk(this.root)) if (build !== undefined) used.add(build);
    return used;
  }
}
