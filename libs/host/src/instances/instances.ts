import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailed, InvalidSpec, NotInitialized, ServerRuns } from '../errors.js';
import type { InstanceStatus, Run, TrashEntry } from '../host.js';
import type { ComposeRequest } from '../launcher/copy-compose.js';
import { serverCommand, type LaunchPlan } from '../launcher/launch-plan.js';
import { takeOwnFiles } from '../launcher/own-files.js';
import { DirHandle } from '../overlay/dir-handle.js';
import { hasCode, makeFolderDurably } from '../overlay/durable.js';
import { removeTree } from '../overlay/remove-tree.js';
import type { CommandRunner } from '../process/command-runner.js';
import { LOCK_BUSY, PROGRAMS } from '../programs.js';
import type { Builds } from '../runtime/builds.js';
import type { ServiceManager } from '../service/service-manager.js';
import { Adopter, type AdopterOptions } from '../yielding/adopter.js';
import { Generations } from './generations.js';
import { InstanceFolder, instancesFolder } from './instance-folder.js';
import { isInstanceName, trashPath } from './names.js';
import { quitTargetOf } from './quit-target.js';
import { validateSpec, type Spec } from './spec.js';
import type { Trash } from './trash.js';

/** A full copy of the game is about 10 GB. */
const COMPOSE_LIMIT_MS = 60 * 60_000;

export interface InstancesOptions extends AdopterOptions {
  /** The servers' uid in their namespace. */
  uid: number;
  /** See `LaunchPlan`. */
  settleMs: number;
}

/** The instances of one host: their generations, and what is done with them. */
export class Instances {
  private readonly adopter: Adopter;

  constructor(
    private readonly options: InstancesOptions,
    private readonly manager: ServiceManager,
    private readonly builds: Builds,
    private readonly commands: CommandRunner,
    private readonly trash: Trash,
  ) {
    this.adopter = new Adopter(options, commands);
  }

  async initialize(name: string, request: Spec, run: Run): Promise<{ generation: number }> {
    const folder = this.folder(name);
    const spec = validateSpec(request);
    const build = await this.builds.require(spec.build);
    for (const [i, revision] of spec.overlays.entries()) {
      if (!(await isFolder(this.revision(revision))))
        throw new InvalidSpec(`overlays[${i}]`, `${revision} is not on this host`);
    }
    for (const path of [folder.upper(), folder.work(), folder.merged()]) await makeFolderDurably(path);
    await this.manager.beginLog(name, run.signal);
    // What a killed worker did not come to remove (trees/put-away.ts).
    await removeTree(folder.removed());
    const whiteouts = this.options.isolation === 'namespaces';
    const generation = await new Generations(folder).prepare({ ...spec, build }, whiteouts);
    await run.output.write(
      'stdout',
      `prepared generation ${generation}: build ${build}, ${spec.overlays.length} ${spec.overlays.length === 1 ? 'overlay' : 'overlays'}`,
    );
    return { generation };
  }

  async start(name: string, run: Run, job: string): Promise<{ generation: number; alreadyRunning: boolean }> {
    const folder = this.folder(name);
    const generations = new Generations(folder);
    const [state] = await this.manager.states([name]);
    const running = state?.state === 'running' || state?.state === 'starting' || state?.state === 'stopping';
    const generation = running ? await generations.current() : await this.adopter.adopt(folder, generations, job, run);
    if (generation === null) throw new NotInitialized(name);
    const spec = await generations.spec(generation);
    const plan = await this.plan(folder, generation, spec);
    // fault point: generation adopted
    if (!running && plan.isolation === 'copy') {
      const owner = process.geteuid?.() === 0 ? plan.uid : null;
      await this.compose(folder, { layers: this.layerPaths(plan), hide: spec.hide, owner }, run);
    }
    const { started } = await this.manager.start(plan, run);
    await run.output.write('stdout', started ? `${name} runs generation ${generation}` : `${name} was running already`);
    return {
      generation: started ? generation : ((await generations.current()) ?? generation),
      alreadyRunning: !started,
    };
  }

  async stop(name: string, run: Run): Promise<void> {
    await this.manager.stop(name, await quitTargetOf(this.folder(name)), run);
  }

  /** The server's own files stay, in trash/<trash>/; an empty set of them leaves nothing there. */
  async delete(name: string, trash: string, run: Run): Promise<{ found: boolean; trashed: TrashEntry | null }> {
    const folder = this.folder(name);
    trashPath(trash);
    await this.stop(name, run);
    if (!(await isFolder(folder.path))) return { found: false, trashed: null };
    const trashed = await this.putAway(folder, trash, run);
    // fault point: own files moved away
    // In one step: of a name that is free again nothing may be left for its next owner.
    await this.trash.discard(folder.path);
    return { found: true, trashed };
  }

  /** The files wait in `upper`; where the layers are copied, the next start puts them among the copies. */
  async restore(
    name: string,
    { from, trash }: { from: string; trash: string },
    run: Run,
  ): Promise<{ restored: boolean; trashed: TrashEntry | null }> {
    const folder = this.folder(name);
    const [status] = await this.status([name]);
    if (status === undefined || status.state === 'absent') throw new NotInitialized(name);
    if (status.state !== 'stopped' && status.state !== 'failed') throw new ServerRuns(name, 'its files are restored');
    if (!(await this.trash.has(from))) return { restored: false, trashed: null };
    await this.trash.undoTake(from, folder);
    const trashed = await this.putAway(folder, trash, run);
    await this.trash.take(from, folder);
    await run.output.write('stdout', `restored the files of trash/${from}`);
    return { restored: true, trashed };
  }

  async names(): Promise<string[]> {
    await mkdir(instancesFolder(this.options.root), { recursive: true });
    return (await readdir(instancesFolder(this.options.root))).filter(isInstanceName).sort();
  }

  async status(names: readonly string[]): Promise<InstanceStatus[]> {
    const states = await this.manager.states(names);
    return Promise.all(
      states.map(async (state, i) => {
        const name = names[i] ?? '';
        const generations = new Generations(this.folder(name));
        const [generation, nextGeneration] = await Promise.all([generations.current(), generations.next()]);
        const absent = generation === null && nextGeneration === null;
        return { name, ...state, ...(absent && { state: 'absent' as const }), generation, nextGeneration };
      }),
    );
  }

  private folder(name: string): InstanceFolder {
    return new InstanceFolder(this.options.root, name);
  }

  /** What the server wrote goes to the trash; what was composed for it is composed anew, since its manifest tells of those files. */
  private async putAway(folder: InstanceFolder, trash: string, run: Run): Promise<TrashEntry | null> {
    // It may have been moved already, by one who was killed before the rest.
    await makeFolderDurably(folder.upper());
    // The server owns it, and may have closed it: moving a folder takes the right to write to it.
    await (await DirHandle.openToEmpty(folder.upper())).close();
    await takeOwnFiles(folder);
    await this.trash.discard(folder.copy());
    await rm(folder.copyManifest(), { force: true });
    if (!(await hasEntries(folder.upper())) && !(await hasEntries(folder.replaced()))) return null;
    const entry = await this.trash.put(trash, folder);
    await run.output.write('stdout', `moved the server's own files to trash/${entry.path}`);
    return entry;
  }

  private revision(overlay: string): string {
    return join(this.options.root, 'overlays', overlay);
  }

  private async plan(folder: InstanceFolder, generation: number, spec: Spec): Promise<LaunchPlan> {
    const build = await this.builds.require(spec.build);
    const { root, isolation, uid, settleMs } = this.options;
    const layers = [
      `instances/${folder.name}/generations/${generation}/config`,
      ...spec.overlays.map((overlay) => `overlays/${overlay}`),
      `installation/${build}`,
    ];
    const command = serverCommand(spec.port, spec.arguments);
    return { root, name: folder.name, generation, isolation, uid, layers: layers.join(':'), command, settleMs };
  }

  /** In a program of its own, which holds the instance's lock; a busy one means that the server runs. */
  private async compose(folder: InstanceFolder, request: ComposeRequest, run: Run): Promise<void> {
    const program = [process.execPath, PROGRAMS.composeCopy, this.options.root, folder.name, JSON.stringify(request)];
    try {
      await this.commands.run(
        { command: ['/bin/sh', PROGRAMS.withLock, folder.lock(), ...program], timeLimitMs: COMPOSE_LIMIT_MS },
        run,
      );
    } catch (error) {
      if (!(error instanceof CommandFailed && error.exitCode === LOCK_BUSY)) throw error;
    }
  }

  /** Absolute, topmost first. */
  private layerPaths(plan: LaunchPlan): string[] {
    return plan.layers.split(':').map((layer) => join(this.options.root, layer));
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

async function hasEntries(path: string): Promise<boolean> {
  try {
    return (await readdir(path)).length > 0;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}
