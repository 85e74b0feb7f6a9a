import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { CommandRecords } from '../src/process/command-records.js';
import { CommandRunner } from '../src/process/command-runner.js';
import { listProcesses, type ProcessRow, readCommandLine, readProcess } from '../src/process/process-table.js';
import type { Run } from '../src/index.js';
import { eventually, makeRoot, recordingRun } from './support/fixture.js';

async function runner(isolated: boolean, graceMs?: number): Promise<CommandRunner> {
  return new CommandRunner(isolated, new CommandRecords(join(await makeRoot(), 'commands')), graceMs);
}

async function processesOf(program: string, mark: string): Promise<ProcessRow[]> {
  const rows = (await listProcesses()).filter((row) => row.state !== 'Z');
  const lines = await Promise.all(rows.map((row) => readCommandLine(row.pid)));
  return rows.filter((_, i) => lines[i] === `${program}\0${mark}\0`);
}

async function sleepers(mark: string): Promise<number> {
  return (await processesOf('sleep', mark)).length;
}

/** How many bytes a process has written: proc_pid_io(5). */
async function writtenBy(pid: number): Promise<number> {
  return Number(/^wchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

function uniqueMark(): string {
  return `9${process.pid}.${Math.floor(Math.random() * 1e9)}`;
}

describe.each([true, false])('a command (in a process namespace: %s)', (isolated) => {
  it('gets its arguments as they are, and its lines and code come back', async () => {
    const { run, said } = recordingRun();
    const commands = await runner(isolated);
    const script = 'printf "%s\\n" "$@"; echo problem >&2';
    await commands.run({ command: ['/bin/sh', '-c', script, 'sh', 'a b', '$(id)', ';'], timeLimitMs: 60_000 }, run);
    expect(said.toSorted()).toEqual(['$(id)', ';', 'a b', 'problem']);
    const failing = commands.run({ command: ['/bin/sh', '-c', 'exit 7'], timeLimitMs: 60_000 }, run);
    await expect(failing).rejects.toMatchObject({ code: 'command-failed', exitCode: 7 });
    const killed = commands.run({ command: ['/bin/sh', '-c', 'kill -KILL $$'], timeLimitMs: 60_000 }, run);
    await expect(killed).rejects.toMatchObject({ exitCode: 137 });
    const missing = commands.run({ command: ['/nonexistent'], timeLimitMs: 60_000 }, run);
    await expect(missing).rejects.toMatchObject({ exitCode: 127 });
  });

  it('is stopped by the signal and by its time limit, with all its children', async () => {
    const commands = await runner(isolated);
    const mark = uniqueMark();
    const command: [string, ...string[]] = ['/bin/sh', '-c', `sleep ${mark} & sleep ${mark} & wait`];
    const stop = new AbortController();
    const running = commands.run({ command, timeLimitMs: 60_000 }, recordingRun(stop.signal).run);
    await eventually(async () => (await sleepers(mark)) === 2);
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    expect(await sleepers(mark)).toBe(0);
    const slow = commands.run({ command, timeLimitMs: 300 }, recordingRun().run);
    await expect(slow).rejects.toMatchObject({ code: 'timed-out' });
    expect(await sleepers(mark)).toBe(0);
  });

  it('that ignores SIGTERM is killed within ten seconds, though nobody takes its lines any more', async () => {
    // Once with the time that it is given really.
    const commands = await runner(isolated, isolated ? 300 : undefined);
    const stop = new AbortController();
    let begun = (): void => undefined;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const write = (): Promise<void> => {
      begun();
      return new Promise(() => undefined);
    };
    const stuck: Run = { signal: stop.signal, output: { write, progress: () => undefined } };
    const script = "trap '' TERM; while :; do echo x; done";
    const running = commands.run({ command: ['/bin/sh', '-c', script], timeLimitMs: 60_000 }, stuck);
    await hasBegun;
    // What a busy machine takes to notice it afterwards is its own.
    let killedAt = Infinity;
    const kill = process.kill.bind(process);
    const spy = vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
      if (signal === 'SIGKILL') killedAt = Math.min(killedAt, performance.now());
      return kill(pid, signal);
    });
    onTestFinished(() => spy.mockRestore());
    const began = performance.now();
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    expect(killedAt - began).toBeLessThan(10_000);
  });

  it('waits for a slow reader instead of filling the memory', async () => {
    const commands = await runner(isolated);
    const mark = uniqueMark();
    const stop = new AbortController();
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    let taken = 0;
    const write = (): Promise<void> => (++taken < 2_000 ? Promise.resolve() : held);
    const slow: Run = { signal: stop.signal, output: { write, progress: () => undefined } };
    const ended = commands.run({ command: ['yes', mark], timeLimitMs: 60_000 }, slow);
    const waiting = eventually(async () => {
      const [yes] = taken < 2_000 ? [] : await processesOf('yes', mark);
      if (yes?.state !== 'S') return null;
      const written = await writtenBy(yes.pid);
      // It still waits to write: a look at one that does not would have found it at it, or further on.
      return (await readProcess(yes.pid))?.state === 'S' && (await writtenBy(yes.pid)) === written && written;
    });
    expect(await waiting).toBeLessThan(1024 ** 2);
    expect(taken).toBe(2_000);
    stop.abort();
    goOn();
    await expect(ended).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('is gone with all its children after kill -9 of the worker, once the next one has looked', async () => {
    const root = await makeRoot();
    const mark = uniqueMark();
    const program = fileURLToPath(new URL('support/worker.mjs', import.meta.url));
    const worker = spawn(process.execPath, [program, root, String(isolated), mark], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => worker.stdout.once('data', resolve));
    await eventually(async () => (await sleepers(mark)) === 3);
    worker.kill('SIGKILL');
    await eventually(async () => worker.signalCode !== null);
    if (!isolated) await new CommandRecords(`${root}/commands`).proveGone();
    // Also the one that left the session.
    await expect.poll(() => sleepers(mark)).toBe(0);
  });
});
