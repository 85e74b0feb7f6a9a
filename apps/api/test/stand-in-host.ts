import type {
  FileTree,
  Host,
  HostOptions,
  HostTrash,
  InstanceStatus,
  LogRequest,
  NewestBuild,
  Run,
  ServerFiles,
  ServerLogLine,
  Workshop,
} from '@left4me/host';

type Operation = 'install' | 'initialize' | 'start' | 'stop' | 'delete' | 'publish' | 'script';
type Behaviour = (run: Run) => Promise<void>;

/** A call as it was seen: who, and from when to when (ms since the stand-in was made). */
export interface Call {
  operation: Operation;
  subject: string;
  from: number;
  to: number | null;
}

/**
 * Stands in for a machine: every operation is recorded and succeeds at once, unless a test gives it another behaviour. What the queue
 * does around it is all real.
 */
export class StandInHost implements Host {
  readonly calls: Call[] = [];
  /** Overlay and revision. */
  readonly removedRevisions: [number, number][] = [];
  /** `<overlay>/<revision>` of what l4d2ctl has initialized. */
  readonly usedRevisions = new Set<string>();
  readonly trash: HostTrash = {
    entries: () => Promise.resolve([]),
    purge: () => Promise.resolve(),
    tidy: () => Promise.resolve(),
  };
  readonly facts = {
    machineId: 'stand-in',
    bootId: 'stand-in',
    isolation: 'namespaces',
    isolationReason: null,
    runtimeKind: 'demo',
  } as const;
  private readonly behaviours = new Map<string, Behaviour>();
  private readonly states = new Map<string, InstanceStatus>();
  /** What `runtimes` tells; installed builds have the newest first. */
  readonly game: { current: string; builds: string[]; newest: NewestBuild | null } = {
    current: 'build-1',
    builds: ['build-1'],
    newest: null,
  };
  /** What the servers printed. */
  readonly lines = new Map<string, ServerLogLine[]>();
  /** What the next look for a newer build finds. */
  found: string | Error | null = null;

  /** To be given to createApp. */
  readonly open = (_options: HostOptions): Promise<Host> => Promise.resolve(this);

  get drafts(): FileTree {
    throw new Error('The stand-in has no files.');
  }

  get files(): ServerFiles {
    throw new Error('The stand-in has no files.');
  }

  get workshop(): Workshop {
    throw new Error('The stand-in knows no Workshop.');
  }

  /** What an operation of a subject does from now on: `start` of `alpha`. */
  on(operation: Operation, subject: string, behaviour: Behaviour): void {
    this.behaviours.set(`${operation} ${subject}`, behaviour);
  }

  /** Makes an operation wait until the returned function is called, or its run is aborted. */
  hold(operation: Operation, subject: string): () => void {
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    this.on(operation, subject, async ({ signal }) => {
      const aborted = new Promise<never>((_, reject) =>
        signal.addEventListener('abort', () => reject(new Error('aborted'))),
      );
      await Promise.race([released, aborted]);
    });
    return () => {
      this.behaviours.delete(`${operation} ${subject}`);
      release();
    };
  }

  /** What the instance does, as the next status call tells it. */
  set(name: string, state: InstanceStatus['state'], more: Partial<InstanceStatus> = {}): void {
    const none = {
      pid: null,
      startedAt: null,
      generation: null,
      nextGeneration: null,
      exitCode: null,
      signal: null,
      reason: null,
      usage: null,
    };
    this.states.set(name, { ...none, ...this.states.get(name), name, state, ...more });
  }

  /** The calls that have begun, as `start alpha`, in order. */
  get begun(): string[] {
    return this.calls.map(({ operation, subject }) => `${operation} ${subject}`);
  }

  runtimes() {
    const about = { installedAt: new Date(0).toISOString(), demo: true, bytes: 1 };
    const { current, builds, newest } = this.game;
    return Promise.resolve({ current, builds: builds.map((build) => ({ build, ...about })), newest });
  }

  lookForNewest(): Promise<void> {
    if (this.found instanceof Error) return Promise.reject(this.found);
    if (this.found !== null) this.game.newest = { build: this.found, seenAt: new Date().toISOString() };
    return Promise.resolve();
  }

  async install({ build }: { build?: string }, run: Run) {
    await this.perform('install', 'local', run);
    if (build !== undefined) this.game.current = build;
    return { build: this.game.current, demo: true };
  }

  async initialize(name: string, _spec: unknown, run: Run) {
    await this.perform('initialize', name, run);
    const generation = (this.states.get(name)?.nextGeneration ?? 0) + 1;
    if (!this.states.has(name)) this.set(name, 'stopped');
    this.set(name, this.states.get(name)?.state ?? 'stopped', { nextGeneration: generation });
    return { generation };
  }

  async start(name: string, run: Run) {
    await this.perform('start', name, run);
    const generation = this.states.get(name)?.nextGeneration ?? 1;
    this.set(name, 'running', { generation });
    return { generation, alreadyRunning: false };
  }

  async stop(name: string, run: Run) {
    await this.perform('stop', name, run);
    if (this.states.has(name)) this.set(name, 'stopped');
  }

  async delete(name: string, _trash: string, run: Run) {
    await this.perform('delete', name, run);
    this.states.delete(name);
    return { found: true, trashed: null };
  }

  restore() {
    return Promise.resolve({ restored: false, trashed: null });
  }

  status(names?: readonly string[]): Promise<InstanceStatus[]> {
    const known = [...this.states.values()];
    if (!names) return Promise.resolve(known);
    return Promise.resolve(
      names.map((name) => {
        const none = {
          pid: null,
          startedAt: null,
          generation: null,
          nextGeneration: null,
          exitCode: null,
          signal: null,
        };
        return this.states.get(name) ?? { name, state: 'absent', ...none, reason: null, usage: null };
      }),
    );
  }

  async *watch(signal: AbortSignal): AsyncGenerator<string> {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }

  async *logs(name: string, { after, signal }: LogRequest): AsyncGenerator<ServerLogLine> {
    const lines = this.lines.get(name) ?? [];
    yield* lines.slice(lines.findIndex(({ position }) => position === after) + 1);
    await new Promise((resolve) => signal?.addEventListener('abort', resolve));
  }

  async publish({ overlay }: { overlay: number }, run: Run) {
    await this.perform('publish', String(overlay), run);
    return { unchanged: false, files: 1, bytes: 1, hash: 'hash' };
  }

  buildScript({ overlay }: { overlay: number }, run: Run): Promise<void> {
    return this.perform('script', String(overlay), run);
  }

  discardBuild(): Promise<void> {
    return Promise.resolve();
  }

  removeRevision(overlay: number, revision: number): Promise<void> {
    this.removedRevisions.push([overlay, revision]);
    return Promise.resolve();
  }

  publishedRevisions(): Promise<number[]> {
    return Promise.resolve([]);
  }

  revisionsInUse(): Promise<ReadonlySet<string>> {
    return Promise.resolve(this.usedRevisions);
  }

  private async perform(operation: Operation, subject: string, run: Run): Promise<void> {
    const call: Call = { operation, subject, from: performance.now(), to: null };
    this.calls.push(call);
    try {
      await run.output.write('stdout', `${operation} ${subject}`);
      await this.behaviours.get(`${operation} ${subject}`)?.(run);
    } finally {
      call.to = performance.now();
    }
  }
}
