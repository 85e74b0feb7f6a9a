import type { FileTree } from './overlay/file-tree.js';
import type { Spec } from './instances/spec.js';
import type { ServerFiles } from './trees/server-files.js';
import type { Workshop } from './workshop/workshop.js';

/** Where an operation's lines and its progress go. */
export interface Output {
  /** Resolves when the line is taken; whoever writes awaits it, so that a slow reader slows the command down. */
  write(stream: 'stdout' | 'stderr', line: string): Promise<void>;
  /** `percent` 0–100, or null when it is not known. */
  progress(percent: number | null, text?: string): void;
}

/** What every operation is given. When `signal` aborts, the operation stops and throws `Interrupted`. */
export interface Run {
  signal: AbortSignal;
  output: Output;
}

export interface HostOptions {
  /** LEFT4ME_ROOT, absolute. Created when missing. */
  root: string;
  serviceManager: 'process' | 'systemd';
  /** Path of steamcmd; without it `install` sets up the demo runtime. */
  steamcmd?: string;
  /** Patterns of files that servers keep although their layers change; without them, the usual ones. */
  keptFiles?: readonly string[];
  /** How many days such files that gave way are kept; 30 by default. */
  replacedDays?: number;
  /** Where the Steam Workshop is asked, and how many of its items are downloaded at once. */
  workshop?: { url: string; downloads: number };
  /** Path of bwrap. Default: where packages put it. */
  bubblewrap?: string;
  /** A server that ends within so many milliseconds has not started; 750 by default. Tests of what comes after a start take fewer. */
  settleMs?: number;
  /** Skips the probe: tests of the fallback, and callers that only read. */
  assumeIsolation?: 'namespaces' | 'copy';
}

export interface HostFacts {
  machineId: string;
  bootId: string;
  /** `namespaces`: servers see only their own tree. `copy`: this machine forbids user namespaces, servers are not isolated. */
  isolation: 'namespaces' | 'copy';
  /** Why it is `copy`; null otherwise. */
  isolationReason: string | null;
  runtimeKind: 'demo' | 'steam';
}

export interface RuntimeBuild {
  build: string;
  /** ISO 8601, UTC. */
  installedAt: string;
  demo: boolean;
  bytes: number;
}

/** What Steam said was its newest build, and when (ISO 8601, UTC). */
export interface NewestBuild {
  build: string;
  seenAt: string;
}

export type InstanceState = 'absent' | 'stopped' | 'starting' | 'running' | 'stopping' | 'failed';

/** What a running server uses and may use, as the kernel counts it. */
export interface Usage {
  /** Without file contents that the kernel may drop. */
  memoryBytes: number;
  memoryLimitBytes: number | null;
  /** Since it was started; all processors together. */
  cpuSeconds: number;
  /** 100 is one processor. */
  cpuLimitPercent: number | null;
  /** Threads and processes together; null where the kernel does not count them. */
  tasks: number | null;
  tasksLimit: number | null;
}

export interface InstanceStatus {
  name: string;
  state: InstanceState;
  /** Of the server itself, as this machine counts; null unless it runs. */
  pid: number | null;
  startedAt: string | null;
  /** The generation that runs, or ran last. */
  generation: number | null;
  /** The generation that the next start takes. */
  nextGeneration: number | null;
  /** Of the last run; 128 + signal when a signal ended it. */
  exitCode: number | null;
  /** Like `SIGSEGV`. */
  signal: string | null;
  /** A sentence, when there is something to say. */
  reason: string | null;
  /** Null unless it runs in a control group of its own (service manager systemd). */
  usage: Usage | null;
}

export interface ServerLogLine {
  /** `<segment>-<byte offset + 1>`: strictly increasing per server for ever, also numerically as a Redis stream id. */
  position: string;
  stream: 'stdout' | 'stderr';
  line: string;
  /** ISO 8601, UTC, milliseconds. */
  at: string;
}

export interface LogRequest {
  /**
   * Only lines after this position. One that is no longer kept means: from the oldest line that is; so does one that is newer than
   * all there is, which another machine has given.
   */
  after?: string;
  /** Without `after`: how many of the last lines come first. Default 500. */
  lines?: number;
  /** Go on with new lines until the signal aborts. */
  follow?: boolean;
  signal?: AbortSignal;
}

/** A file with known content that a revision shares with where it is kept: nobody may ever write to it. */
export interface LinkedFile {
  /** In the overlay, '/'-separated. */
  path: string;
  /** Absolute. */
  from: string;
  /** Of its content, hexadecimal. */
  sha256: string;
}

export interface PublishRequest {
  overlay: number;
  revision: number;
  /** `draft`: drafts/<overlay>/, what people edit. `build`: builds/<overlay>/, what this host itself has prepared. Default `draft`. */
  source?: 'draft' | 'build';
  /** These files instead of a source's. They are linked where the filesystem can, and not read again. */
  linked?: readonly LinkedFile[];
  /** Revision to compare with: equal content publishes nothing. */
  previous?: number;
}

export interface PublishResult {
  /** Equal to `previous`: no revision was written. */
  unchanged: boolean;
  files: number;
  bytes: number;
  /** SHA-256 over paths, types, modes and contents, hexadecimal. */
  hash: string;
}

/** What a server wrote itself, put away when it was deleted: trash/<path>/. */
export interface TrashEntry {
  /** `<server>/<job>`, as `delete` was given it; a number follows when that was taken. */
  path: string;
  /** The instance's name then. */
  server: string;
  /** ISO 8601, UTC. */
  deletedAt: string;
  /** Files and links; null: too many, or not to be counted. */
  files: number | null;
  /** What they take on the disk; null like `files`. */
  bytes: number | null;
}

/** What was put away on this host. An entry belongs to nobody here: who may have it back is the caller's business. */
export interface HostTrash {
  entries(): Promise<TrashEntry[]>;
  /**
   * Removes an entry for good. Gone at once; one that is killed in the middle is finished by `tidy`; what cannot be removed is an entry
   * again, and the error is thrown. Missing: success.
   */
  purge(path: string): Promise<void>;
  /** Removes what killed operations left unfinished. What cannot be removed stops nothing else; throws `AggregateError` of it. */
  tidy(): Promise<void>;
}

export interface ScriptBuild {
  overlay: number;
  /** What bash runs. */
  script: string;
  /** Names and addresses that lead to the panel from outside: the script does not reach them, as it reaches nothing of this machine. */
  refuse: readonly string[];
}

/** One machine that runs game servers. Order is the caller's business: nothing here locks, rolls back or checks ahead. */
export interface Host {
  readonly facts: HostFacts;
  /** What the API may write: drafts/<overlay>/. */
  readonly drafts: FileTree;
  readonly trash: HostTrash;
  /** What servers see, as it is now. */
  readonly files: ServerFiles;
  readonly workshop: Workshop;

  /** The installed builds, newest first, the one new generations get, and Steam's newest as far as it is known. */
  runtimes(): Promise<{ current: string | null; builds: RuntimeBuild[]; newest: NewestBuild | null }>;
  /** Asks Steam for its newest build, which `runtimes` tells from then on. Does nothing while an install runs, or without steamcmd. */
  lookForNewest(run: Run): Promise<void>;
  /**
   * Installs the game, or updates it: always a new folder, never a change to one that servers use. With a build: goes back to it, if it
   * is installed (the demo runtime sets it up).
   */
  install(request: { build?: string }, run: Run): Promise<{ build: string; demo: boolean }>;
  /** Writes a new generation for the next start. Whatever runs does not notice. */
  initialize(name: string, spec: Spec, run: Run): Promise<{ generation: number }>;
  /**
   * Takes the prepared generation and returns when the server's program runs. A running server is left untouched. Files of the server's
   * own whose layers have changed go to replaced/<job>/ and are named in the output.
   * @param job by default one that tells the time
   */
  start(name: string, run: Run, job?: string): Promise<{ generation: number; alreadyRunning: boolean }>;
  /** `quit` over RCON, then SIGTERM, then SIGKILL. A stopped or missing server: success. */
  stop(name: string, run: Run): Promise<void>;
  /** Stops, moves what the server wrote to trash/<trash>/ (`trashed`) and removes the rest. A missing instance: success, not found. */
  delete(name: string, trash: string, run: Run): Promise<{ found: boolean; trashed: TrashEntry | null }>;
  /**
   * Puts trash/<from>/ back as what the server wrote itself; what it has of its own is moved to trash/<trash>/ before. Only into an
   * initialized instance that does not run. Not restored: `from` is not in the trash (any more), and nothing was changed.
   */
  restore(
    name: string,
    request: { from: string; trash: string },
    run: Run,
  ): Promise<{ restored: boolean; trashed: TrashEntry | null }>;
  /** All servers, or the named ones (then also `absent`), in one cheap call. */
  status(names?: readonly string[]): Promise<InstanceStatus[]>;
  /** Names whose status changed, within 1 s, until the signal aborts. */
  watch(signal: AbortSignal): AsyncIterable<string>;
  /** Complete lines in order. */
  logs(name: string, request: LogRequest): AsyncIterable<ServerLogLine>;
  /**
   * Runs a script of an overlay in a sandbox, which makes builds/<overlay>/ anew: what it writes is to be published from there. Throws
   * `NotSupported` where there is no sandbox, `NoRuntime`, `CommandFailed`, `ScriptStopped` (a limit), `Interrupted`, `TimedOut`.
   */
  buildScript(request: ScriptBuild, run: Run): Promise<void>;
  /** Removes builds/<overlay>/, and what a killed worker left of the script's run beside it. Missing: success. */
  discardBuild(overlay: number): Promise<void>;
  /** The source → overlays/<overlay>/<revision>/, by rename. */
  publish(request: PublishRequest, run: Run): Promise<PublishResult>;
  /** The caller has made sure that no generation uses it. Missing: success. */
  removeRevision(overlay: number, revision: number): Promise<void>;
  /** The numbers of an overlay's revisions of which something is on the disk. */
  publishedRevisions(overlay: number): Promise<number[]>;
  /** `<overlay>/<revision>` of all that generations on the disk name, whoever made them. Throws `InvalidSpec` for a damaged one. */
  revisionsInUse(): Promise<ReadonlySet<string>>;
}
