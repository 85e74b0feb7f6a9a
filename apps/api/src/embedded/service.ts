import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { BoundedLog } from './bounded-log.js';
import { EmbeddedError } from './embedded-error.js';
import { type ProcessIdentity, endProcess, identify } from './process-identity.js';

export interface ServiceOptions {
  /** What people know it by: "PostgreSQL". */
  name: string;
  /** Makes the process an ordinary user's, see ordinaryUser. */
  prefix: readonly string[];
  argv: readonly [string, ...string[]];
  env?: NodeJS.ProcessEnv;
  logFile: string;
  /** Where the running process is written down, so that a later start can tell what is left of this one. */
  recordFile: string;
  /** What asks it to end properly; also what the kernel sends it when the panel is gone. */
  stopSignal: 'SIGINT' | 'SIGTERM';
}

/** A server process of ours. It dies with the panel, whatever happens to the panel. */
export class Service {
  private exited: { code: number | null; signal: NodeJS.Signals | null } | null = null;
  private readonly exit: Promise<void>;

  private constructor(
    private readonly options: ServiceOptions,
    private readonly child: ChildProcess,
    private readonly identity: ProcessIdentity | null,
    private readonly log: BoundedLog,
    private readonly logStart: number,
  ) {
    this.exit = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.exited = { code, signal };
        resolve();
      });
      if (child.exitCode !== null || child.signalCode !== null) {
        this.exited = { code: child.exitCode, signal: child.signalCode };
        resolve();
      }
    });
  }

  static async start(options: ServiceOptions): Promise<Service> {
    const log = await BoundedLog.open(options.logFile);
    const logStart = await log.size();
    // The kernel's parent-death signal survives kill -9 of the panel; our own cleaning up does not. It belongs to the thread
    // that forks, so services are started from the main thread only. A change of user forgets it, so it comes after that.
    const { prefix, argv, stopSignal } = options;
    const [program = 'setpriv', ...args] = [...prefix, 'setpriv', '--pdeathsig', stopSignal.slice(3), '--', ...argv];
    const child = spawn(program, args, {
      // A session of its own: Ctrl-C in the terminal is for the panel, which ends its services last.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      cwd: '/',
      env: options.env ?? process.env,
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => {
        reject(
          new EmbeddedError(`setpriv (util-linux) is needed to run ${options.name}; please install it.`, { cause }),
        );
      });
    });
    const identity = child.pid === undefined ? null : await identify(child.pid);
    if (identity) await writeFile(options.recordFile, JSON.stringify(identity), { mode: 0o600 });
    return new Service(options, child, identity, log, logStart);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  get running(): boolean {
    return this.exited === null;
  }

  /** Polls until `probe` says yes. Fails with the service's own last words when it ends first. */
  async ready(probe: () => Promise<boolean>, milliseconds: number): Promise<void> {
    const deadline = Date.now() + milliseconds;
    while (this.running && Date.now() < deadline) {
      if (await probe()) return;
      await sleep(25);
    }
    const how = this.running ? `was not ready after ${Math.round(milliseconds / 1000)} s` : 'ended while starting';
    const words = await this.lastWords(8);
    throw new EmbeddedError(`${this.options.name} ${how}; its log (${this.options.logFile}) ends with:\n${words}`);
  }

  /** What it has logged since this start, at most so many lines. */
  lastWords(lines: number): Promise<string> {
    return this.log.tail(this.logStart, lines);
  }

  /** Resolves when the process has ended, for whatever reason. */
  ended(): Promise<void> {
    return this.exit;
  }

  async stop(): Promise<void> {
    if (this.running && this.identity) await endProcess(this.identity, stopSteps(this.options.stopSignal));
    await this.exit;
    await rm(this.options.recordFile, { force: true });
    await this.log.close();
  }
}

/**
 * Ends what an earlier panel left running, if anything: it may still be shutting down (then it is waited for), or have missed
 * its parent's death in the instant between fork and exec.
 */
export async function endLeftover(recordFile: string, stopSignal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  const identity = await readRecord(recordFile);
  if (identity) await endProcess(identity, stopSteps(stopSignal));
  await rm(recordFile, { force: true });
}

function stopSteps(signal: 'SIGINT' | 'SIGTERM'): { signal: NodeJS.Signals; milliseconds: number }[] {
  return [
    { signal, milliseconds: 60_000 },
    { signal: 'SIGKILL', milliseconds: 5_000 },
  ];
}

async function readRecord(file: string): Promise<ProcessIdentity | null> {
  try {
    const value: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof value !== 'object' || value === null) return null;
    if (!('pid' in value) || !('startTime' in value) || !('bootId' in value)) return null;
    const { pid, startTime, bootId } = value;
    if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof bootId !== 'string') return null;
    return { pid, startTime, bootId };
  } catch {
    // No record, or one cut short by a power cut: in both cases nothing of ours can be running.
    return null;
  }
}
