import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openHost } from '../src/index.js';
import { isAlive, readProcess } from '../src/process/process-table.js';
import { removeTree } from '../src/overlay/remove-tree.js';
import {
  eventually,
  installScript,
  logWith,
  makeRoot,
  makeSpec,
  openTestHost,
  recordingRun,
  statusOf,
} from './support/fixture.js';

const COUNTING = '#!/bin/sh\ni=0\nwhile :; do i=$((i+1)); echo "tick $i"; sleep 0.02; done\n';

async function startPanel(root: string, name: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('support/panel.mjs', import.meta.url));
  const panel = spawn(process.execPath, [program, root, name, String(makeSpec().port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void panel.kill('SIGKILL'));
  await new Promise<void>((resolve, reject) => {
    panel.stdout?.once('data', () => resolve());
    panel.once('exit', (code) => reject(new Error(`the panel ended with ${code}`)));
  });
  return panel;
}

async function supervisorOf(root: string, name: string): Promise<number> {
  const record: { supervisor: { pid: number } } = JSON.parse(
    await readFile(join(root, 'instances', name, 'run.json'), 'utf8'),
  );
  return record.supervisor.pid;
}

describe('the panel killed with -9 while a server runs', () => {
  it('leaves the server running; the next panel picks up state and log without gap or duplicate', async () => {
    const root = await makeRoot();
    await installScript(root, COUNTING);
    const panel = await startPanel(root, 'one');
    const first = await openHost({ root, serviceManager: 'process' });
    const before = await statusOf(first, 'one');
    expect(before.state).toBe('running');

    // A follower sees some lines, then the panel dies, then another follower resumes behind them.
    const seen: string[] = [];
    let position: string | undefined;
    for await (const line of first.logs('one', { lines: 1_000, follow: true })) {
      seen.push(line.line);
      position = line.position;
      if (seen.length === 10) break;
    }
    panel.kill('SIGKILL');
    await eventually(async () => panel.signalCode !== null);

    const second = await openHost({ root, serviceManager: 'process' });
    expect(await statusOf(second, 'one')).toEqual(before);
    for await (const line of second.logs('one', { after: position, follow: true })) {
      seen.push(line.line);
      if (seen.length === 60) break;
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => `tick ${i + 1}`));
    await second.stop('one', recordingRun().run);
    expect((await statusOf(second, 'one')).state).toBe('stopped');
    await removeTree(root);
  });
});

describe.each(['namespaces', 'copy'] as const)('the supervisor killed with -9 (%s)', (isolation) => {
  it('takes the server down, and the state says so; a new start finds nothing of the old one', async () => {
    const server = '#!/bin/sh\necho up\nwhile :; do sleep 0.05; done\n';
    const { host, run, root } = await openTestHost({ isolation, server });
    await host.initialize('one', makeSpec(), run);
    await host.start('one', run);
    const { pid } = await statusOf(host, 'one');
    const row = await readProcess(pid ?? 0);
    process.kill(await supervisorOf(root, 'one'), 'SIGKILL');
    await eventually(async () => (await statusOf(host, 'one')).state === 'failed');
    expect((await statusOf(host, 'one')).reason).toMatch(/supervisor was killed/);
    await eventually(async () => row === null || !(await isAlive(row)));
    expect(await host.start('one', run)).toMatchObject({ alreadyRunning: false });
    expect((await statusOf(host, 'one')).state).toBe('running');
  });
});

describe('what run.json claims', () => {
  it('is not believed after a reboot, nor when its process number belongs to somebody else', async () => {
    const { host, run, root } = await openTestHost();
    await host.initialize('one', makeSpec(), run);
    await host.start('one', run);
    const path = join(root, 'instances/one/run.json');
    const record: Record<string, unknown> = JSON.parse(await readFile(path, 'utf8'));
    await host.stop('one', run);
    const own = await readProcess(process.pid);
    const reused = { ...record, supervisor: { pid: process.pid, startTime: '1' } };
    await writeFile(path, JSON.stringify(reused));
    await writeFile(join(root, 'instances/one/stop.json'), '{}');
    expect(await statusOf(host, 'one')).toMatchObject({ state: 'failed', pid: null });
    await writeFile(path, JSON.stringify({ ...record, supervisor: own, bootId: 'another boot' }));
    expect(await statusOf(host, 'one')).toMatchObject({ state: 'stopped', reason: 'the machine was restarted' });
    expect(await host.start('one', run)).toMatchObject({ alreadyRunning: false });
  });
});

describe('a stop whose worker was killed', () => {
  it('does not leave the server in "stopping" for ever', async () => {
    const { host, run, root } = await openTestHost();
    await host.initialize('one', makeSpec(), run);
    await host.start('one', run);
    const own = await readProcess(process.pid);
    const { bootId } = host.facts;
    const stopFile = join(root, 'instances/one/stop.json');
    await writeFile(stopFile, JSON.stringify({ bootId, by: own }));
    expect((await statusOf(host, 'one')).state).toBe('stopping');
    await writeFile(stopFile, JSON.stringify({ bootId, by: { pid: process.pid, startTime: '1' } }));
    expect((await statusOf(host, 'one')).state).toBe('running');
  });
});

describe('a server that floods its log', () => {
  it('keeps being readable from the first kept line to the last, in order', async () => {
    const server = '#!/bin/sh\nseq 1 200000\necho finished\nwhile :; do sleep 0.1; done\n';
    const { host, run } = await openTestHost({ server });
    await host.initialize('one', makeSpec(), run);
    await host.start('one', run);
    let expected = 1;
    for await (const { line } of host.logs('one', { after: '0-0', follow: true })) {
      if (line === 'finished') break;
      if (line !== String(expected)) throw new Error(`${line} instead of ${expected}`);
      expected++;
    }
    expect(expected).toBe(200_001);
    const [tail] = await logWith(host, 'one', 'finished');
    expect(tail).toBe('190002');
  });
});
