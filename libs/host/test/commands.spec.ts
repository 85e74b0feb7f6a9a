import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CommandRecords } from '../src/process/command-records.js';
import { CommandRunner } from '../src/process/command-runner.js';
import { listProcesses, readCommandLine } from '../src/process/process-table.js';
import type { Run } from '../src/index.js';
import { eventually, makeRoot, recordingRun } from './support/fixture.js';

async function runner(isolated: boolean): Promise<CommandRunner> {
  return new CommandRunner(isolated, new CommandRecords(join(await makeRoot(), 'commands')));
}

async function sleepers(mark: string): Promise<number> {
  const rows = (await listProcesses()).filter((row) => row.state !== 'Z');
  const lines = await Promise.all(rows.map((row) => readCommandLine(row.pid)));
  return lines.filter((line) => line === `sleep\0${mark}\0`).length;
}

function uniqueMark(): string {
  return `9${process.pid}.${Math.floor(Math.random() * 1e9)}`;
}

describe.each([true, false])('a command (in a process namespace: %s)', (isolated) => {
  it('gets its arguments as they are, and its lines and code come back', async () => {
    const { run, said } = recordingRun();
    const commands = await runner(isolated);
    const script = 'printf "%s\\n" "$@"; echo problem >&2';
    await commands.run({ command: ['/bin/sh', '-c', script, 'sh', 'a b', '$(id)', ';'], timeLimitMs: 5_000 }, run);
    expect(said.toSorted()).toEqual(['$(id)', ';', 'a b', 'problem']);
    const failing = commands.run({ command: ['/bin/sh', '-c', 'exit 7'], timeLimitMs: 5_000 }, run);
    await expect(failing).rejects.toMatchObject({ code: 'command-failed', exitCode: 7 });
    const killed = commands.run({ command: ['/bin/sh', '-c', 'kill -KILL $$'], timeLimitMs: 5_000 }, run);
    await expect(killed).rejects.toMatchObject({ exitCode: 137 });
    const missing = commands.run({ command: ['/nonexistent'], timeLimitMs: 5_000 }, run);
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
    const commands = await runner(isolated);
    const stop = new AbortController();
    const stuck: Run = {
      signal: stop.signal,
      output: { write: () => new Promise(() => undefined), progress: () => undefined },
    };
    const script = "trap '' TERM; while :; do echo x; done";
    const running = commands.run({ command: ['/bin/sh', '-c', script], timeLimitMs: 60_000 }, stuck);
    await sleep(300);
    const began = performance.now();
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: 'interrupted' });
    expect(performance.now() - began).toBeLessThan(10_000);
  }, 20_000);

  it('waits for a slow reader instead of filling the memory', async () => {
    const commands = await runner(isolated);
    const stop = new AbortController();
    let taken = 0;
    const slow: Run = {
      signal: stop.signal,
      output: {
        write: async () => {
          taken++;
          await sleep(taken > 2_000 ? 50 : 0);
          if (taken === 2_020) stop.abort();
        },
        progress: () => undefined,
      },
    };
    const before = process.memoryUsage().rss;
    await expect(commands.run({ command: ['yes'], timeLimitMs: 60_000 }, slow)).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(100e6);
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
    await expect.poll(() => sleepers(mark), { timeout: 2_000 }).toBe(0);
  });
});
