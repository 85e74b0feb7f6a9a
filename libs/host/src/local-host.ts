import type {
  Host,
  HostFacts,
  HostTrash,
  InstanceStatus,
  LogRequest,
  NewestBuild,
  PublishRequest,
  PublishResult,
  Run,
  RuntimeBuild,
  ScriptBuild,
  ServerLogLine,
  TrashEntry,
} from './host.js';
import type { InstanceTurns } from './instances/instance-turns.js';
import type { Instances } from './instances/instances.js';
import { instanceName } from './instances/names.js';
import type { Spec } from './instances/spec.js';
import { specsOnDisk } from './instances/specs-on-disk.js';
import type { FileTree } from './overlay/file-tree.js';
import type { Publisher } from './overlay/publish.js';
import { RunFileWatch } from './process-manager/run-file-watch.js';
import type { Builds } from './runtime/builds.js';
import type { ScriptBuilds } from './scripts/script-builds.js';
import type { ServiceManager } from './service/service-manager.js';
import type { ServerFiles } from './trees/server-files.js';
import type { Workshop } from './workshop/workshop.js';

/** What supervisors write is noticed at once; this is for all else. */
const WATCH_MS = 400;

export interface Runtime {
  install(request: { build?: string }, run: Run): Promise<{ build: string; demo: boolean }>;
  /** What is known of the newest build there is; null: nothing, or there is only one. */
  newest(): Promise<NewestBuild | null>;
  /** Finds out about it. */
  look(run: Run): Promise<void>;
}

/** Hands each request to the part that knows about it. */
export class LocalHost implements Host {
  constructor(
    readonly facts: HostFacts,
    readonly drafts: FileTree,
    readonly files: ServerFiles,
    readonly workshop: Workshop,
    private readonly parts: {
      root: string;
      builds: Builds;
      runtime: Runtime;
      instances: Instances;
      turns: InstanceTurns;
      manager: ServiceManager;
      publisher: Publisher;
      trash: HostTrash;
      scripts: ScriptBuilds;
    },
  ) {}

  get trash(): HostTrash {
    return this.parts.trash;
  }

  async runtimes(): Promise<{ current: string | null; builds: RuntimeBuild[]; newest: NewestBuild | null }> {
    const { builds, runtime } = this.parts;
    const [current, records, newest] = await Promise.all([builds.current(), builds.list(), runtime.newest()]);
    return {
      current,
      newest,
      builds: records.map(({ build, installedAt, demo, bytes }) => ({ build, installedAt, demo, bytes })),
    };
  }

  lookForNewest(run: Run): Promise<void> {
    return this.parts.runtime.look(run);
  }

  install(request: { build?: string }, run: Run): Promise<{ build: string; demo: boolean }> {
    return this.parts.runtime.install(request, run);
  }

  initialize(name: string, spec: Spec, run: Run): Promise<{ generation: number }> {
    return this.parts.turns.operate(name, () => this.parts.instances.initialize(name, spec, run));
  }

  start(
    name: string,
    run: Run,
    job = `by-hand-${Date.now()}`,
  ): Promise<{ generation: number; alreadyRunning: boolean }> {
    return this.parts.turns.operate(name, () => this.parts.instances.start(name, run, job));
  }

  stop(name: string, run: Run): Promise<void> {
    return this.parts.turns.operate(name, () => this.parts.instances.stop(name, run));
  }

  delete(name: string, trash: string, run: Run): Promise<{ found: boolean; trashed: TrashEntry | null }> {
    return this.parts.turns.operate(name, () => this.parts.instances.delete(name, trash, run));
  }

  restore(
    name: string,
    request: { from: string; trash: string },
    run: Run,
  ): Promise<{ restored: boolean; trashed: TrashEntry | null }> {
    return this.parts.turns.operate(name, () => this.parts.instances.restore(name, request, run));
  }

  async status(names?: readonly string[]): Promise<InstanceStatus[]> {
    return this.parts.instances.status(names ?? (await this.parts.instances.names()));
  }

  watch(signal: AbortSignal): AsyncIterable<string> {
    return this.parts.manager.changes(signal) ?? this.look(signal);
  }

  logs(name: string, request: LogRequest): AsyncIterable<ServerLogLine> {
    return this.parts.manager.logs(instanceName(name), request);
  }

  buildScript(request: ScriptBuild, run: Run): Promise<void> {
    return this.parts.scripts.build(request, run);
  }

  discardBuild(overlay: number): Promise<void> {
    return this.parts.scripts.discard(overlay);
  }

  publish(request: PublishRequest, run: Run): Promise<PublishResult> {
    return this.parts.publisher.publish(request, run);
  }

  removeRevision(overlay: number, revision: number): Promise<void> {
    return this.parts.publisher.remove(overlay, revision);
  }

  publishedRevisions(overlay: number): Promise<number[]> {
    return this.parts.publisher.revisions(overlay);
  }

  async revisionsInUse(): Promise<ReadonlySet<string>> {
    const used = new Set<string>();
    for await (const { overlays } of specsOnDisk(this.parts.root)) for (const overlay of overlays) used.add(overlay);
    return used;
  }

  private async *look(signal: AbortSignal): AsyncGenerator<string> {
    const runFiles = new RunFileWatch(this.parts.root);
    try {
      let before = byName(await this.status());
      while (!signal.aborted) {
        await runFiles.wait(before.keys(), WATCH_MS, signal);
        const now = byName(await this.status());
        const names = new Set([...before.keys(), ...now.keys()]);
        const changed = [...names].filter((name) => before.get(name) !== now.get(name));
        before = now;
        yield* changed;
      }
    } finally {
      runFiles.close();
    }
  }
}

function byName(statuses: readonly InstanceStatus[]): Map<string, string> {
  return new Map(statuses.map((status) => [status.name, JSON.stringify(status)]));
}
