import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { InstanceFolder } from '../instances/instance-folder.js';
import { findServer } from '../launcher/find-server.js';
import { launcherArguments, parseLaunchPlan, type LaunchPlan } from '../launcher/launch-plan.js';
import { endSession } from '../process/command-records.js';
import { exitCodeOf, signalOf } from '../process/exit-code.js';
import { closeInheritedDescriptors } from '../process/inherited-descriptors.js';
import { LineSplitter } from '../process/line-splitter.js';
import { pause, waitUntil } from '../process/pause.js';
import { readBootId, readProcess, signalProcess, isAlive } from '../process/process-table.js';
import { PROGRAMS } from '../programs.js';
import { LogWriter } from './log-writer.js';
import { readRunRecord, readStopRecord, writeRunRecord, type RunRecord } from './run-file.js';

/**
 * Watches over one server: a program of its own (`node supervisor.js <plan>`), started through with-lock.sh, so it holds
 * the instance's lock as long as it lives. It outlives the panel. The server dies with it. File descriptor 3 is told
 * `started` or `failed` once, if somebody still listens.
 */
const START_LIMIT_MS = 30_000;
const LEFTOVERS_LIMIT_MS = 10_000;
const REPORT_FD = 3;

async function main(plan: LaunchPlan): Promise<void> {
  const folder = new InstanceFolder(plan.root, plan.name);
  const [bootId, self] = await Promise.all([readBootId(), readProcess(process.pid)]);
  if (self === null) throw new Error('/proc does not show this process');
  await endLeftovers(await readRunRecord(folder.runFile()), bootId);

  const log = new LogWriter(folder.logs());
  const record: RunRecord = {
    bootId,
    generation: plan.generation,
    state: 'starting',
    startedAt: new Date().toISOString(),
    supervisor: { pid: self.pid, startTime: self.startTime },
    launcher: null,
    init: null,
    server: null,
    endedAt: null,
    exitCode: null,
    signal: null,
    requested: false,
    reason: null,
  };
  await writeRunRecord(folder.runFile(), record);

  // detached: a session of its own, by which a copy-mode server's children can be found and ended.
  const launcher = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', '/bin/sh', PROGRAMS.launchServer, ...launcherArguments(plan)],
    // The fourth is descriptor 3: the report pipe must not reach the server.
    { stdio: ['pipe', 'pipe', 'pipe', 'ignore'], detached: true, env: { PATH: process.env.PATH ?? '/usr/bin:/bin' } },
  );
  const ended = new Promise<number>((resolve) => {
    launcher.once('error', (error) => {
      log.write('stderr', [`left4me: ${error.message}`]);
      resolve(1);
    });
    launcher.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)));
  });
  const drained = Promise.all([copyLines(launcher.stdout, 'stdout', log), copyLines(launcher.stderr, 'stderr', log)]);
  launcher.stdin?.on('error', () => undefined); // it ended before it read the line; its exit code says why
  launcher.stdin?.end('go\n');

  // Whoever started us changed their mind, or the machine goes down.
  process.on('SIGTERM', () => {
    if (record.init === null) launcher.kill('SIGKILL');
    else void signalProcess(record.init, 'SIGTERM');
  });

  if (launcher.pid !== undefined) {
    const row = await readProcess(launcher.pid);
    record.launcher = row === null ? null : { pid: row.pid, startTime: row.startTime };
    await awaitStart(launcher.pid, ended, record);
  }
  let started = false;
  if (record.server !== null) {
    await writeRunRecord(folder.runFile(), record); // so that it can be stopped in this time as well
    const over = new AbortController();
    started = await Promise.race([ended.then(() => false), pause(plan.settleMs, over.signal).then(() => true)]);
    over.abort(); // this process would stay for the rest of the time, with the lock
  }
  if (started) {
    record.state = 'running';
    await writeRunRecord(folder.runFile(), record);
    report('started');
  } else if (record.server === null && launcher.exitCode === null && launcher.signalCode === null) {
    log.write('stderr', [`left4me: the server was not started within ${START_LIMIT_MS / 1000} s`]);
    launcher.kill('SIGKILL');
  }

  const exitCode = await ended;
  // Without a process namespace children of the server may be left; they would also keep the pipes open.
  if (record.launcher !== null) await endSession(record.launcher);
  await drained;
  record.requested = await stopWasRequested(folder, bootId);
  record.state = 'ended';
  record.endedAt = new Date().toISOString();
  record.exitCode = exitCode;
  record.signal = signalOf(exitCode);
  record.reason = record.server === null ? 'it did not start' : null;
  log.write('stderr', [`left4me: the server ended with ${describeEnd(record)}`]);
  log.close();
  await writeRunRecord(folder.runFile(), record);
  if (!started) report('failed');
}

/** Polls until the server's program runs, or the launcher ended, or the time is up. */
async function awaitStart(pid: number, ended: Promise<number>, record: RunRecord): Promise<void> {
  let over = false;
  void ended.then(() => (over = true));
  await waitUntil(
    async () => {
      const found = await findServer(pid);
      if (found !== null) Object.assign(record, found);
      return over || found !== null;
    },
    START_LIMIT_MS,
    15,
  );
}

/**
 * A server whose supervisor was killed dies a moment after the lock was freed. Two mounts of one upper folder would both
 * succeed, so the last process of the old one must be gone first.
 */
async function endLeftovers(previous: RunRecord | null, bootId: string): Promise<void> {
  if (previous === null || previous.bootId !== bootId || previous.state === 'ended') return;
  const { init, launcher } = previous;
  if (launcher !== null) await endSession(launcher);
  if (init === null) return;
  await signalProcess(init, 'SIGKILL');
  const gone = await waitUntil(async () => !(await isAlive(init)), LEFTOVERS_LIMIT_MS);
  if (!gone) throw new Error(`process ${init.pid} of the previous run does not end`);
}

async function stopWasRequested(folder: InstanceFolder, bootId: string): Promise<boolean> {
  const stop = await readStopRecord(folder.stopFile());
  return stop !== null && stop.bootId === bootId;
}

async function copyLines(source: Readable | null, stream: 'stdout' | 'stderr', log: LogWriter): Promise<void> {
  if (source === null) return;
  const splitter = new LineSplitter();
  for await (const chunk of source) {
    if (Buffer.isBuffer(chunk)) log.write(stream, splitter.push(chunk));
  }
  log.write(stream, splitter.end());
}

function describeEnd(record: RunRecord): string {
  return record.signal === null ? `code ${record.exitCode}` : `${record.signal} (code ${record.exitCode})`;
}

/** The panel may be gone by now: nobody needs to hear it then. */
function report(word: 'started' | 'failed'): void {
  try {
    writeSync(REPORT_FD, `${word}\n`);
    closeSync(REPORT_FD);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EPIPE' || error.code === 'EBADF'))) throw error;
  }
}

const plan = parseLaunchPlan(process.argv[2] ?? '');
// with-lock.sh opened the lock.
closeInheritedDescriptors([0, 1, 2, REPORT_FD], new InstanceFolder(plan.root, plan.name).lock());
process.on('SIGHUP', () => undefined);
process.on('SIGINT', () => undefined);
await main(plan);
