import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { CommandFailed, HostError, Interrupted, NotSupported, ScriptStopped, TimedOut } from '../errors.js';
import type { Output, Run } from '../host.js';
import type { CommandRunner } from '../process/command-runner.js';
import { LastLines } from '../process/last-lines.js';
import { LineSplitter } from '../process/line-splitter.js';
import { pause } from '../process/pause.js';
import { PROGRAMS } from '../programs.js';
import { type Ask, ask } from '../systemd/ask.js';
import { ControlGroups } from '../systemd/cgroup.js';
import type { ScriptSandbox } from './sandbox.js';
import { type ScriptLimits, told } from './script-limits.js';
import type { ScriptPlace } from './script-place.js';
import { watched } from './watched.js';
import { timeLimit } from '../process/time-limit.js';

const LOOK_MS = 200;
const CONTROL_LIMIT_MS = 30_000;
/** The first with PrivatePIDs=, without which a script could end every process of the service user. */
const NEEDED_SYSTEMD = 257;
const NAME = 'the script';
/** Full paths: the sudo rule (deploy/sudoers.d) allows exactly these words. */
const SYSTEMCTL = ['/usr/bin/sudo', '--non-interactive', '/usr/bin/systemctl'] as const;
/** How a process ended: `CLD_EXITED` (waitid(2)). */
const EXITED = '1';

/** Scripts as units, `left4me-script@<overlay>`; what they may do is in deploy/systemd/left4me-script@.service. */
export class ScriptUnit implements ScriptSandbox {
  readonly programs = [PROGRAMS.runScript, PROGRAMS.withOutput, PROGRAMS.serverInit];

  /** `commands` must not use a user namespace: sudo is nobody there. */
  constructor(
    private readonly commands: CommandRunner,
    private readonly asked: Ask = ask,
    private readonly groups = new ControlGroups(),
  ) {}

  async require(): Promise<void> {
    const version = Number(/^systemd (\d+)/.exec(await this.asked('systemctl', ['--version']))?.[1] ?? 0);
    const none = 'This machine has no sandbox for scripts, so none is run';
    if (version < NEEDED_SYSTEMD) {
      throw new NotSupported(`${none}: it needs systemd ${NEEDED_SYSTEMD} or newer, and this is ${version}`);
    }
    const state = await this.show(unitOf('1'), 'LoadState');
    if (state !== 'loaded') {
      throw new NotSupported(`${none}: the unit ${unitOf('')} is ${state}; run deploy/install.sh again`);
    }
  }

  async forget(id: string): Promise<void> {
    const unit = unitOf(id);
    if ((await this.show(unit, 'ActiveState')) !== 'failed') return;
    await this.systemctl('reset-failed', unit, { signal: new AbortController().signal, output: SILENT });
  }

  async run(place: ScriptPlace, limits: ScriptLimits, run: Run): Promise<void> {
    const unit = unitOf(place.id);
    await this.end(unit, run); // of a worker that was killed
    const pipes = { stdout: join(place.run, 'out'), stderr: join(place.run, 'err') };
    const mkfifo = ['mkfifo', '--mode=600', pipes.stdout, pipes.stderr] as const;
    await this.commands.run({ command: mkfifo, timeLimitMs: CONTROL_LIMIT_MS }, run);
    const said = new LastLines();
    const output = said.heard(run.output);
    const out = new Lines(pipes.stdout, 'stdout', output);
    const err = new Lines(pipes.stderr, 'stderr', output);
    const folders = [place.output, place.cache, place.tmp] as const;
    let check = (): void => undefined;
    const onStart = (group: string): void => {
      if (group !== '') check = this.refusalsSince(group, limits); // else it has ended already
    };
    try {
      await watched({ folders, limits, check: () => check() }, run, (bounded) =>
        this.runUnit(unit, limits, bounded, onStart),
      );
    } finally {
      await this.end(unit, { ...run, signal: new AbortController().signal });
      await Promise.all([out.end(), err.end()]);
    }
    await this.judge(unit, limits, said);
  }

  /** Returns when it has ended by itself. Throws `Interrupted` and `TimedOut`: it still runs then. */
  private async runUnit(unit: string, limits: ScriptLimits, run: Run, onStart: (group: string) => void): Promise<void> {
    const late = timeLimit(limits.seconds * 1000);
    const signal = AbortSignal.any([run.signal, late]);
    await this.systemctl('start', unit, run);
    onStart(await this.show(unit, 'ControlGroup'));
    while (!signal.aborted) {
      const state = await this.show(unit, 'ActiveState');
      if (state === 'inactive' || state === 'failed') return;
      await pause(LOOK_MS, signal);
    }
    throw run.signal.aborted ? new Interrupted(NAME) : new TimedOut(NAME, limits.seconds * 1000);
  }

  /** A look at what the kernel has refused it from now on: without a word, a script would go on for as long as it may. */
  private refusalsSince(group: string, { tasks, memoryBytes }: ScriptLimits): () => void {
    // A group that systemd has kept counts on from an earlier run.
    const before = this.groups.refusals(group);
    return () => {
      const { processes, outOfMemory } = this.groups.refusals(group);
      if (processes > before.processes) throw new ScriptStopped(`it runs more than ${tasks} processes`);
      if (outOfMemory > before.outOfMemory) throw new ScriptStopped(`it uses more than ${told(memoryBytes)} of memory`);
    };
  }

  /** Throws what it ended with, unless that is success. */
  private async judge(unit: string, { memoryBytes }: ScriptLimits, said: LastLines): Promise<void> {
    const result = await this.show(unit, 'Result');
    if (result === 'success') return;
    const [how, status] = await Promise.all([this.show(unit, 'ExecMainCode'), this.show(unit, 'ExecMainStatus')]);
    if (result === 'oom-kill') throw new ScriptStopped(`it uses more than ${told(memoryBytes)} of memory`);
    if (result !== 'exit-code' && result !== 'signal')
      throw new HostError('script-failed', `${unit} failed: ${result}`);
    const code = how === EXITED ? Number(status) : 128 + Number(status);
    throw new CommandFailed(code, [NAME], said.explain(NAME, code));
  }

  /** Kills it with all it has started, if it runs. */
  private async end(unit: string, run: Run): Promise<void> {
    const state = await this.show(unit, 'ActiveState');
    if (state !== 'inactive' && state !== 'failed') await this.systemctl('stop', unit, run);
  }

  private async systemctl(verb: 'start' | 'stop' | 'reset-failed', unit: string, run: Run): Promise<void> {
    await this.commands.run({ command: [...SYSTEMCTL, verb, unit], timeLimitMs: CONTROL_LIMIT_MS }, run);
  }

  private async show(unit: string, property: string): Promise<string> {
    return (await this.asked('systemctl', ['show', '--value', `--property=${property}`, unit])).trim();
  }
}

const SILENT: Output = { write: () => Promise.resolve(), progress: () => undefined };

function unitOf(id: string): string {
  return `left4me-script@${id}.service`;
}

/** The lines of a pipe that a unit writes to; it is read on only when a line was taken. */
class Lines {
  private readonly writer: number;
  private readonly read: Promise<void>;

  constructor(path: string, stream: 'stdout' | 'stderr', output: Output) {
    // Plain descriptors: the socket closes its own, and a FileHandle would close it a second time.
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // As long as this end is open, a script that closes its own does not end the reading.
    this.writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    this.read = forward(new Socket({ fd: reader, readable: true, writable: false }), stream, output);
    this.read.catch(() => undefined); // thrown by end()
  }

  /** Nobody writes any more: takes what is left. */
  async end(): Promise<void> {
    closeSync(this.writer);
    await this.read;
  }
}

async function forward(source: Socket, stream: 'stdout' | 'stderr', output: Output): Promise<void> {
  const splitter = new LineSplitter();
  for await (const chunk of source) {
    if (!Buffer.isBuffer(chunk)) continue;
    for (const line of splitter.push(chunk)) await output.write(stream, line);
  }
  for (const line of splitter.end()) await output.write(stream, line);
}
