import { CommandFailed, HostError } from '../errors.js';
import type { Run } from '../host.js';
import type { Generations } from '../instances/generations.js';
import type { InstanceFolder } from '../instances/instance-folder.js';
import { jobFolder } from '../instances/names.js';
import { hasCode } from '../overlay/durable.js';
import type { CommandRunner } from '../process/command-runner.js';
import { pause } from '../process/pause.js';
import { LOCK_BUSY, PROGRAMS } from '../programs.js';
import { layersOf } from '../trees/server-layers.js';
import type { KeptReplaced } from './forget-replaced.js';
import { mustReplace, type ReplaceRequest } from './replace-copies.js';
import type { ShippedLayers } from './shipped-files.js';

/** Renames within one filesystem, and comparing what they concern. */
const REPLACE_LIMIT_MS = 10 * 60_000;
/** How often, and after how many ms, a lock is tried that a supervisor at its end may still hold. */
const TRIES = 20;
const AGAIN_MS = 100;

export interface AdopterOptions {
  root: string;
  isolation: 'namespaces' | 'copy';
  /** Patterns of what servers keep although their layers change. */
  keptFiles: readonly string[];
  keptReplaced: KeptReplaced;
}

/** Lets a server that does not run go over to the generation that was prepared for it. */
export class Adopter {
  constructor(
    private readonly options: AdopterOptions,
    private readonly commands: CommandRunner,
  ) {}

  /**
   * First what the server wrote over changed files gives way, then the prepared generation becomes the current one: killed in
   * between, the next start does both again, with the same two generations.
   * @returns the current generation; null when none was prepared
   */
  async adopt(folder: InstanceFolder, generations: Generations, job: string, run: Run): Promise<number | null> {
    const [from, to] = [await generations.current(), await generations.next()];
    if (to === null || to === from) return generations.adopt();
    const request: ReplaceRequest = {
      before: from === null ? null : await this.shippedBefore(folder, generations, from, run),
      after: await this.shipped(folder, generations, to),
      kept: this.options.keptFiles,
      isolation: this.options.isolation,
      job: jobFolder(job),
      keptReplaced: this.options.keptReplaced,
    };
    if ((await mustReplace(folder, request)) && !(await this.replace(folder, request, run))) return from;
    // fault point: copies replaced
    return generations.adopt();
  }

  /** @returns false when somebody else runs the server */
  private async replace(folder: InstanceFolder, request: ReplaceRequest, run: Run): Promise<boolean> {
    const program = [process.execPath, PROGRAMS.replaceCopies, this.options.root, folder.name, JSON.stringify(request)];
    for (let left = TRIES; left > 0; left--) {
      try {
        await this.commands.run(
          { command: ['/bin/sh', PROGRAMS.withLock, folder.lock(), ...program], timeLimitMs: REPLACE_LIMIT_MS },
          run,
        );
        return true;
      } catch (error) {
        if (!(error instanceof CommandFailed && error.exitCode === LOCK_BUSY)) throw error;
        await pause(AGAIN_MS, run.signal);
      }
    }
    return false;
  }

  private async shipped(folder: InstanceFolder, generations: Generations, number: number): Promise<ShippedLayers> {
    const { shipped, hide } = layersOf(this.options.root, folder, number, await generations.spec(number));
    return { layers: shipped.map((layer) => layer.folder), hide };
  }

  /** Null when the specification is damaged: the server could never be started again otherwise. */
  private async shippedBefore(
    folder: InstanceFolder,
    generations: Generations,
    number: number,
    run: Run,
  ): Promise<ShippedLayers | null> {
    try {
      return await this.shipped(folder, generations, number);
    } catch (error) {
      if (!(error instanceof HostError) && !hasCode(error, 'ENOENT')) throw error;
      const why = error instanceof Error ? error.message : String(error);
      await run.output.write(
        'stderr',
        `the server keeps all of its own files, since generation ${number} is damaged: ${why}`,
      );
      return null;
    }
  }
}
