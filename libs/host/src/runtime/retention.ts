import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '../host.js';
import { InstanceFolder, instancesFolder } from '../instances/instance-folder.js';
import { isInstanceName } from '../instances/names.js';
import { parseSpec } from '../instances/spec.js';
import { hasCode } from '../overlay/durable.js';
import type { Builds } from './builds.js';

/** Decides which builds of the game stay on the disk. */
export class Retention {
  constructor(
    private readonly root: string,
    private readonly builds: Builds,
  ) {}

  /**
   * Removes every build that is not the current one, not named by a generation of any instance, and not the one installed last
   * besides the current one. Says which. For the end of an install, which has the host's builds to itself.
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

  /** The builds that some generation pins, whether it runs, ran, or is to be started. Throws `InvalidSpec` for a damaged one. */
  private async inUse(): Promise<Set<string>> {
    const used = new Set<string>();
    for (const name of (await namesIn(instancesFolder(this.root))).filter(isInstanceName)) {
      const folder = new InstanceFolder(this.root, name);
      for (const generation of await namesIn(folder.generations())) {
        const spec = await textOf(join(folder.generations(), generation, 'spec.yaml'));
        const build = spec === null ? undefined : parseSpec(spec).build;
        if (build !== undefined) used.add(build);
      }
    }
    return used;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** Null for a generation that was not written to its end. */
async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
