import { spawn, type ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { CommandFailed, Interrupted, TimedOut } from '../errors.js';
import type { Output, Run } from '../host.js';
import { PROGRAMS } from '../programs.js';
import { CLEAN_ENV } from './clean-environment.js';
import type { CommandRecords } from './command-records.js';
import { exitCodeOf } from './exit-code.js';
import { LastLines } from './last-lines.js';
import { LineSplitter } from './line-splitter.js';
import { pause } from './pause.js';
import { sendSignal } from './process-table.js';

export interface Command {
  /** Program and arguments; never a shell's line. */
  command: readonly [string, ...string[]];
  cwd?: string;
  /** The whole environment. Default: a PATH and nothing else. */
  env?: Record<string, string>;
  timeLimitMs: number;
  /** What it is called in errors. Default: the program. */
  name?: string;
  /** Told the number of the process that all of the command's descend from. */
  onStart?: (pid: number) => void;
}

/** Between SIGTERM and SIGKILL. */
const GRACE_MS = 8_000;
const DRAIN_MS = 500;

/**
 * Runs programs that must not outlive this process. Where the machine allows it each runs in a process namespace that
 * the kernel ends with us; elsewhere in a group of its own that is recorded, so that the next start can prove it gone.
 */
export class CommandRunner {
  constructor(
    private readonly isolated: boolean,
    private readonly records: CommandRecords,
    private readonly graceMs = GRACE_MS,
  ) {}

  /**
   * Resolves when the program ended with 0 and every line was taken. Throws `CommandFailed`, `Interrupted` (the signal
   * aborted) or `TimedOut`; the last two only after SIGTERM, then SIGKILL, ended the whole group (within 10 s).
   */
  async run(request: Command, run: Run): Promise<void> {
    const name = request.name ?? request.command[0];
    if (run.signal.aborted) throw new Interrupted(name);
    const argv = this.wrap(request.command);
    const { env, mark } = this.records.mark(request.env ?? CLEAN_ENV);
    const child = spawn(argv[0], argv.slice(1), {
      cwd: request.cwd,
      env,
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true, // a session and group of its own, to be signalled as a whole
    });
    if (child.pid !== undefined) request.onStart?.(child.pid);
    const stop = new Stop(child, this.graceMs);
    const ended = endOf(child);
    const said = new LastLines();
    // Before anything is awaited: Node throws away what nobody reads when the program ends.
    const drained = forward(child, said.heard(run.output), stop);
    const finished = Promise.race([ended, drained.then(() => ended)]);
    finished.catch(() => undefined); // it is awaited below, but may fail before
    const onAbort = (): void => stop.begin('signal');
    const timer = setTimeout(() => stop.begin('time'), request.timeLimitMs);
    run.signal.addEventListener('abort', onAbort, { once: true });
    if (run.signal.aborted) onAbort();
    const recorded = this.recordGroup(child, mark);
    try {
      await recorded;
      child.stdin.on('error', () => undefined); // it is gone already; its code says why
      // fault point: command not yet told
      child.stdin.end('go\n');
      const end = await finished;
      killGroup(child); // children that the program left behind
      await Promise.race([drained, stop.abandoned(ended)]);
      if (stop.cause === 'time') throw new TimedOut(name, request.timeLimitMs);
      if (stop.cause === 'signal') throw new Interrupted(name);
      if (end !== 0) throw new CommandFailed(end, request.command, said.explain(name, end));
    } finally {
      killGroup(child); // also when taking its lines failed
      clearTimeout(timer);
      stop.end();
      run.signal.removeEventListener('abort', onAbort);
      const release = await recorded;
      await release();
    }
  }

  private wrap(command: readonly [string, ...string[]]): [string, ...string[]] {
    // Nothing runs before it was recorded: a kill -9 at the wrong moment would leave a command nobody knows of.
    const inner = ['/bin/sh', PROGRAMS.whenTold, '/bin/sh', PROGRAMS.serverInit, ...command];
    if (!this.isolated) return ['setpriv', '--pdeathsig', 'KILL', ...inner];
    const namespaces = ['--user', '--map-current-user', '--pid', '--fork', '--kill-child'];
    return ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...namespaces, ...inner];
  }

  private async recordGroup(child: ChildProcess, mark: string): Promise<() => Promise<void>> {
    if (this.isolated || child.pid === undefined) return () => Promise.resolve();
    return this.records.add(child.pid, mark);
  }
}

/** SIGTERM to the group, SIGKILL when it is still there after the grace. */
class Stop {
  cause: 'signal' | 'time' | null = null;
  /** Lines that nobody took in time are dropped now. */
  gaveUp = false;
  private timer: NodeJS.Timeout | null = null;
  private readonly begun: Promise<void>;
  private announce = (): void => undefined;

  constructor(
    private readonly child: ChildProcess,
    private readonly graceMs: number,
  ) {
    this.begun = new Promise((resolve) => (this.announce = resolve));
  }

  begin(cause: 'signal' | 'time'): void {
    if (this.cause !== null || this.child.pid === undefined) return;
    const group = -this.child.pid;
    this.cause = cause;
    sendSignal(group, 'SIGTERM');
    this.timer = setTimeout(() => sendSignal(group, 'SIGKILL'), this.graceMs);
    this.announce();
  }

  /** Resolves a moment after a stopped program has ended: a reader that takes no lines must not hold that up. */
  async abandoned(ended: Promise<number>): Promise<void> {
    await Promise.all([this.begun, ended]);
    await pause(DRAIN_MS);
    this.gaveUp = true;
    this.child.stdout?.destroy();
    this.child.stderr?.destroy();
  }

  end(): void {
    if (this.timer !== null) clearTimeout(this.timer);
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) sendSignal(-child.pid, 'SIGKILL');
}

function endOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)));
  });
}

/** Both streams, line by line; a pipe is read on only when its line was taken. */
async function forward(child: ChildProcess, output: Output, stop: Stop): Promise<void> {
  const streams = [
    forwardStream(child.stdout, 'stdout', output, stop),
    forwardStream(child.stderr, 'stderr', output, stop),
  ];
  await Promise.all(streams);
}

async function forwardStream(
  source: Readable | null,
  stream: 'stdout' | 'stderr',
  output: Output,
  stop: Stop,
): Promise<void> {
  if (source === null) return;
  const splitter = new LineSplitter();
  try {
    for await (const chunk of source) {
      if (!Buffer.isBuffer(chunk)) continue;
      for (const line of splitter.push(chunk)) {
        await output.write(stream, line);
        if (stop.gaveUp) return;
      }
    }
  } catch (error) {
    if (!stop.gaveUp) throw error; // it was destroyed by us
  }
  for (const line of splitter.end()) await output.write(stream, line);
}
