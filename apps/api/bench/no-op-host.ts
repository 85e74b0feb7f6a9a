import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FileTree, Host, HostOptions, HostTrash, InstanceStatus, Run, ServerFiles, Workshop } from '@left4me/host';

/**
 * Stands in for a machine on which every operation is done at once and says nothing: what is left is the queue's own time. An operation
 * lasts one turn of the event loop, so that two that must not meet could be seen to.
 */
export class NoOpHost implements Host {
  readonly trash: HostTrash = {
    entries: () => Promise.resolve([]),
    purge: () => Promise.resolve(),
    tidy: () => Promise.resolve(),
  };
  readonly facts = {
    machineId: 'bench',
    bootId: 'bench',
    isolation: 'namespaces',
    isolationReason: null,
    runtimeKind: 'demo',
  } as const;
  /** Calls so far. */
  begun = 0;
  /** Calls that met one that they must not meet. */
  overlaps = 0;
  /** Told when a call begins, before anything else. */
  onBegin: (operation: 'install' | 'server', subject: string) => void = () => undefined;
  /** Told when a call is over. */
  onEnd: (operation: 'install' | 'server', subject: string) => void = () => undefined;
  /** What an install waits for. */
  installGate: Promise<void> = Promise.resolve();
  /** What an operation of a server does. */
  serverOperation: (subject: string, run: Run) => Promise<void> = () => nextTurn();
  private readonly busy = new Set<string>();
  private readonly known = new Set<string>();

  /** To be given to createApp. */
  readonly open = (_options: HostOptions): Promise<Host> => Promise.resolve(this);

  get drafts(): FileTree {
    throw new Error('There are no files.');
  }

  get files(): ServerFiles {
    throw new Error('There are no files.');
  }

  get workshop(): Workshop {
    throw new Error('There is no Workshop.');
  }

  runtimes() {
    const build = { build: 'build-1', installedAt: new Date(0).toISOString(), demo: true, bytes: 1 };
    return Promise.resolve({ current: build.build, builds: [build], newest: null });
  }

  lookForNewest(): Promise<void> {
    return Promise.resolve();
  }

  async install(_request: unknown, { signal }: Run) {
    // Waiting for the gate does not outlast a panel that is closed.
    await this.perform('install', 'install', () => Promise.race([this.installGate, aborted(signal)]));
    return { build: 'build-1', demo: true };
  }

  async initialize(name: string, _spec: unknown, run: Run) {
    await this.perform('server', name, () => this.serverOperation(name, run));
    return { generation: 1 };
  }

  async start(name: string, run: Run) {
    await this.perform('server', name, () => this.serverOperation(name, run));
    return { generation: 1, alreadyRunning: false };
  }

  stop(name: string, run: Run): Promise<void> {
    return this.perform('server', name, () => this.serverOperation(name, run));
  }

  async delete(name: string, _trash: string, run: Run) {
    await this.perform('server', name, () => this.serverOperation(name, run));
    return { found: true, trashed: null };
  }

  restore() {
    return Promise.resolve({ restored: false, trashed: null });
  }

  status(names: readonly string[] = [...this.known]): Promise<InstanceStatus[]> {
    for (const name of names) this.known.add(name);
    const none = { pid: null, startedAt: null, generation: null, nextGeneration: null, exitCode: null, signal: null };
    return Promise.resolve(names.map((name) => ({ name, state: 'stopped', ...none, reason: null, usage: null })));
  }

  watch(signal: AbortSignal): AsyncGenerator<string> {
    return nothing(signal);
  }

  logs(_name: string, { signal }: { signal?: AbortSignal }): AsyncGenerator<never> {
    return nothing(signal);
  }

  publish() {
    return Promise.resolve({ unchanged: true, files: 0, bytes: 0, hash: '' });
  }

  buildScript(): Promise<void> {
    return Promise.resolve();
  }

  discardBuild(): Promise<void> {
    return Promise.resolve();
  }

  removeRevision(): Promise<void> {
    return Promise.resolve();
  }

  publishedRevisions(): Promise<number[]> {
    return Promise.resolve([]);
  }

  revisionsInUse(): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set());
  }

  private async perform(kind: 'install' | 'server', subject: string, work: () => Promise<void>): Promise<void> {
    this.onBegin(kind, subject);
    this.begun += 1;
    const conflicts = kind === 'install' ? this.busy.size > 0 : this.busy.has(subject) || this.busy.has('install');
    if (conflicts) this.overlaps += 1;
    this.busy.add(subject);
    await work();
    this.busy.delete(subject);
    this.onEnd(kind, subject);
  }
}

/** Yields nothing, and ends when the signal aborts. */
async function* nothing(signal?: AbortSignal): AsyncGenerator<never> {
  if (signal) await aborted(signal);
  yield* [];
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
