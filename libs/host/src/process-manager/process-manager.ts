import { spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HostError, Interrupted, StartFailed } from '../errors.js';
import type { LogRequest, Run, ServerLogLine } from '../host.js';
import { InstanceFolder } from '../instances/instance-folder.js';
import { type LaunchPlan, portOf } from '../launcher/launch-plan.js';
import { writeFileDurably } from '../overlay/durable.js';
import { endSession } from '../process/command-records.js';
import { exitCodeOf } from '../process/exit-code.js';
import { waitUntil } from '../process/pause.js';
import type { PrintedLine } from '../process/telling-line.js';
import { isAlive, readBootId, readProcess, sendSignal, signalProcess } from '../process/process-table.js';
import { LOCK_BUSY, PROGRAMS } from '../programs.js';
import { rconCommand } from '../rcon/client.js';
import type { QuitTarget, ServiceManager, ServiceState } from '../service/service-manager.js';
import { holdingUnit } from './held-by-unit.js';
import { readState } from './instance-state.js';
import { HeldLocks } from './liveness.js';
import { readLog } from './log-reader.js';
import { readRunRecord, type StopRecord } from './run-file.js';

const START_LIMIT_MS = 45_000;
const QUIT_LIMIT_MS = 10_000;
const TERM_LIMIT_MS = 8_000;
const KILL_LIMIT_MS = 8_000;
/** A supervisor only copies lines: this keeps fifty of them small. */
const SUPERVISOR_NODE_FLAGS = ['--max-old-space-size=32', '--max-semi-space-size=1', '--no-warnings'];

/** A small supervisor per server that outlives the panel. No restart by itself: a crashed server is `failed`. */
export class ProcessManager implements ServiceManager {
  constructor(
    private readonly root: string,
    private readonly termLimitMs = TERM_LIMIT_MS,
  ) {}

  async start(plan: LaunchPlan, run: Run): Promise<{ started: boolean }> {
    const folder = new InstanceFolder(this.root, plan.name);
    const end = performance.now() + START_LIMIT_MS;
    while (performance.now() < end) {
      if (run.signal.aborted) throw new Interrupted(`starting ${plan.name}`);
      const [state] = await this.states([plan.name]);
      if (state?.state === 'running' || state?.state === 'stopping') return { started: false };
      if (state?.state === 'failed') await this.endLeftovers(folder);
      if (!(await this.isHeld(folder))) await rm(folder.stopFile(), { force: true });
      const outcome = await this.supervise(folder, plan, run);
      if (outcome === 'started') return { started: true };
      if (outcome !== 'busy') throw await this.startFailure(folder, plan, outcome);
      // Another starter, or a supervisor that is about to end.
      await waitUntil(async () => (await this.states([plan.name]))[0]?.state !== 'starting', 1_000, 50, run.signal);
    }
    throw new StartFailed({ name: plan.name, port: null }, 1, 'the lock of the instance stays held', []);
  }

  async stop(name: string, quit: QuitTarget | null, run: Run): Promise<void> {
    const folder = new InstanceFolder(this.root, name);
    if (!(await this.isHeld(folder))) return;
    if ((await holdingUnit(folder, await HeldLocks.read())) !== null) {
      // It would come back with the machine.
      throw new HostError('other-manager', `${name} is run by systemd: stop it with LEFT4ME_SERVICE_MANAGER=systemd`);
    }
    await this.announceStop(folder);
    // fault point: stop announced
    try {
      if (quit !== null && (await this.askToQuit(folder, quit, run))) return;
      await this.signalServer(folder, 'SIGTERM', run);
      if (await this.waitForEnd(folder, this.termLimitMs, run.signal)) return;
      await this.signalServer(folder, 'SIGKILL', run);
      if (await this.waitForEnd(folder, KILL_LIMIT_MS, run.signal)) return;
      await this.endLeftovers(folder);
      if (await this.waitForEnd(folder, KILL_LIMIT_MS, run.signal)) return;
      throw new HostError('stop-failed', `${name} does not end, not even by SIGKILL`);
    } catch (error) {
      await rm(folder.stopFile(), { force: true }); // nobody is stopping it any more
      throw error;
    }
  }

  async states(names: readonly string[]): Promise<ServiceState[]> {
    const [locks, bootId] = await Promise.all([HeldLocks.read(), readBootId()]);
    return Promise.all(names.map((name) => readState(new InstanceFolder(this.root, name), locks, bootId)));
  }

  /** Each log is in its instance's folder, and goes with it. */
  beginLog(): Promise<void> {
    return Promise.resolve();
  }

  logs(name: string, request: LogRequest): AsyncIterable<ServerLogLine> {
    return readLog(new InstanceFolder(this.root, name).logs(), request);
  }

  changes(): null {
    return null;
  }

  /** Starts a supervisor and waits for its word, or its end. A number is the code it ended with. */
  private async supervise(folder: InstanceFolder, plan: LaunchPlan, run: Run): Promise<'started' | 'busy' | number> {
    const errors = openSync(supervisorErrors(folder), 'w', 0o640);
    const node = [process.execPath, ...SUPERVISOR_NODE_FLAGS, PROGRAMS.supervisor, JSON.stringify(plan)];
    const child = spawn('/bin/sh', [PROGRAMS.withLock, folder.lock(), ...node], {
      cwd: '/',
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', UV_THREADPOOL_SIZE: '1' },
      detached: true,
      stdio: ['ignore', 'ignore', errors, 'pipe'],
    });
    closeSync(errors);
    // fault point: supervisor begun
    try {
      return await firstWord(child, run.signal);
    } catch (error) {
      if (error instanceof Interrupted && child.pid !== undefined) await this.giveUp(folder, child.pid);
      throw error;
    }
  }

  /** A start that is not wanted any more: its supervisor ends what it has begun. */
  private async giveUp(folder: InstanceFolder, supervisorPid: number): Promise<void> {
    await this.announceStop(folder);
    sendSignal(supervisorPid, 'SIGTERM');
    if (await this.waitForEnd(folder, KILL_LIMIT_MS)) return;
    sendSignal(supervisorPid, 'SIGKILL');
    await this.waitForEnd(folder, KILL_LIMIT_MS);
  }

  private async startFailure(folder: InstanceFolder, plan: LaunchPlan, exitCode: number): Promise<StartFailed> {
    const { name } = plan;
    const record = await readRunRecord(folder.runFile());
    if (record?.state === 'ended') {
      // A server that ends at once, even properly, has not started.
      const reason = `it ended with code ${record.exitCode}`;
      return new StartFailed({ name, port: portOf(plan) }, record.exitCode || 1, reason, await lastLines(folder));
    }
    const errors = await readFile(supervisorErrors(folder), 'utf8').catch(() => '');
    const lines = errors.split('\n').map((line): PrintedLine => ({ stream: 'stderr', line }));
    return new StartFailed({ name, port: null }, exitCode, 'its supervisor failed', lines);
  }

  private async announceStop(folder: InstanceFolder): Promise<void> {
    const [bootId, self] = await Promise.all([readBootId(), readProcess(process.pid)]);
    if (self === null) return;
    const record: StopRecord = { bootId, by: { pid: self.pid, startTime: self.startTime } };
    await writeFileDurably(folder.stopFile(), JSON.stringify(record));
  }

  private async askToQuit(folder: InstanceFolder, quit: QuitTarget, run: Run): Promise<boolean> {
    try {
      await rconCommand({ host: '127.0.0.1', port: quit.port, password: quit.rconPassword }, 'quit');
    } catch (error) {
      await run.output.write('stdout', `RCON: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
    await run.output.write('stdout', 'sent "quit" over RCON');
    // fault point: quit sent
    return this.waitForEnd(folder, QUIT_LIMIT_MS, run.signal);
  }

  /**
   * SIGTERM to server-init.sh, which passes it on. SIGKILL to the server itself, so that server-init.sh reports how it
   * ended; what is left of its namespace ends with that.
   */
  private async signalServer(folder: InstanceFolder, signal: 'SIGTERM' | 'SIGKILL', run: Run): Promise<void> {
    // A supervisor that has just begun writes its launcher within moments.
    await waitUntil(async () => (await readRunRecord(folder.runFile()))?.launcher !== null, 2_000);
    const record = await readRunRecord(folder.runFile());
    const target = (signal === 'SIGKILL' ? record?.server : record?.init) ?? record?.launcher ?? null;
    if (target !== null && (await signalProcess(target, signal))) await run.output.write('stdout', `sent ${signal}`);
  }

  /** What a killed supervisor, or one that does not react, leaves behind. */
  private async endLeftovers(folder: InstanceFolder): Promise<void> {
    const record = await readRunRecord(folder.runFile());
    if (record === null || record.bootId !== (await readBootId())) return;
    if (record.state === 'ended' && !(await isAlive(record.supervisor))) return;
    if (record.init !== null) await signalProcess(record.init, 'SIGKILL');
    if (record.launcher !== null) await endSession(record.launcher);
    if (!(await this.waitForEnd(folder, 1_000))) await signalProcess(record.supervisor, 'SIGKILL');
  }

  private async isHeld(folder: InstanceFolder): Promise<boolean> {
    const record = await readRunRecord(folder.runFile());
    return (await HeldLocks.read()).isHeld(folder.lock(), record?.supervisor.pid ?? null);
  }

  /** Throws `Interrupted` when the signal aborts first. */
  private async waitForEnd(folder: InstanceFolder, limitMs: number, signal?: AbortSignal): Promise<boolean> {
    const ended = await waitUntil(async () => !(await this.isHeld(folder)), limitMs, 25, signal);
    if (!ended && signal?.aborted) throw new Interrupted(`stopping ${folder.name}`);
    return ended;
  }
}

/** What the last run printed at its end. */
async function lastLines(folder: InstanceFolder): Promise<PrintedLine[]> {
  let printed: PrintedLine[] = [];
  let ended = false;
  for await (const { stream, line } of readLog(folder.logs(), { lines: 10 })) {
    if (ended) printed = []; // that was another run
    ended = line.startsWith('left4me: the server ended ');
    if (!line.startsWith('left4me: ')) printed.push({ stream, line });
  }
  return printed;
}

function supervisorErrors(folder: InstanceFolder): string {
  return join(folder.path, 'supervisor.err');
}

async function firstWord(child: ChildProcess, signal: AbortSignal): Promise<'started' | 'busy' | number> {
  const report = child.stdio[3];
  let onAbort = (): void => undefined;
  try {
    return await new Promise((resolve, reject) => {
      onAbort = () => reject(new Interrupted('starting the server'));
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
      child.once('error', reject);
      report?.on('data', (chunk: Buffer) => resolve(chunk.toString().startsWith('started') ? 'started' : 1));
      child.once('exit', (code, killed) => resolve(code === LOCK_BUSY ? 'busy' : exitCodeOf(code, killed)));
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
    report?.destroy();
    child.unref(); // it is on its own from now on
  }
}
