import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Interrupted, StartFailed } from '../src/errors.js';
import type { LaunchPlan } from '../src/launcher/launch-plan.js';
import { recordingRun } from './support/fixture.js';
import { makeInstance, openTestSystemd, type TestSystemd } from './support/systemd.js';

const RUNNING = { ActiveState: 'active', SubState: 'running', InvocationID: 'first', MainPID: '100', NRestarts: '0' };
const AGAIN = { ActiveState: 'activating', SubState: 'auto-restart', Result: 'exit-code', MainPID: '0' };
const CRASHED = { ...AGAIN, ExecMainCode: '1', ExecMainStatus: '139' };

function planOf(root: string, name: string): LaunchPlan {
  const command = ['./srcds_run', '-port', '27015'];
  return { root, name, generation: 1, isolation: 'copy', uid: 1000, layers: '-', command, settleMs: 50 };
}

async function openWith(name: string): Promise<TestSystemd & { plan: LaunchPlan; launch: () => Promise<void> }> {
  const test = await openTestSystemd();
  const folder = join(test.root, 'instances', name);
  await makeInstance(test, name);
  const launch = (): Promise<void> => writeFile(join(folder, 'launched'), '');
  return { ...test, plan: planOf(test.root, name), launch };
}

describe('a start with systemd', () => {
  it('is done when the server has run for a moment behind its launcher', async () => {
    const { manager, systemd, plan, launch, root } = await openWith('one');
    systemd.onControl = (word) => {
      if (word !== 'enable') return;
      systemd.set('one', RUNNING);
      void launch();
    };
    expect(await manager.start(plan, recordingRun().run)).toEqual({ started: true });
    expect(await readFile(join(root, 'instances/one/launch'), 'utf8')).toMatch(/^copy\n1000\n.*\none\n-\n/);
    expect(systemd.asked).toContain('enable one');
    expect(await manager.start(plan, recordingRun().run)).toEqual({ started: false });
  });

  it('that fails says why, and leaves the server stopped', async () => {
    const { manager, systemd, plan } = await openWith('one');
    systemd.onControl = (word) => {
      if (word === 'enable') systemd.set('one', { ...CRASHED, InvocationID: 'first' });
      if (word === 'disable') systemd.set('one', { ActiveState: 'inactive', SubState: 'dead' });
    };
    systemd.print('one', 'Started', { event: true });
    systemd.print('one', 'no map');
    const failure = await manager.start(plan, recordingRun().run).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StartFailed);
    expect(String(failure)).toContain('SIGSEGV');
    expect(String(failure)).not.toContain('systemd starts it again');
    expect(systemd.asked).toContain('disable one');
  });

  it('that is interrupted ends the server again', async () => {
    const { manager, systemd, plan } = await openWith('one');
    const abort = new AbortController();
    systemd.onControl = (word) => {
      if (word === 'enable') systemd.set('one', RUNNING);
      if (word === 'enable') setTimeout(() => abort.abort(), 20);
      if (word === 'disable') systemd.set('one', { ActiveState: 'inactive', SubState: 'dead' });
    };
    await expect(manager.start(plan, recordingRun(abort.signal).run)).rejects.toThrow(Interrupted);
    expect(systemd.asked).toContain('disable one');
  });

  it('between a crash and what systemd does about it waits for the new run', async () => {
    const { manager, systemd, plan, launch } = await openWith('one');
    systemd.set('one', { ...CRASHED, InvocationID: 'first', NRestarts: '1' });
    systemd.onControl = (word) => {
      if (word !== 'enable') return;
      systemd.set('one', { Job: '77' });
      setTimeout(() => {
        systemd.set('one', { ...RUNNING, InvocationID: 'second', Job: '' });
        void launch();
      }, 300);
    };
    expect(await manager.start(plan, recordingRun().run)).toEqual({ started: true });
    expect(systemd.asked).not.toContain('disable one');
  });

  it('between a crash and the next one fails with the end of the new run', async () => {
    const { manager, systemd, plan } = await openWith('one');
    systemd.set('one', { ...CRASHED, InvocationID: 'first', NRestarts: '1' });
    systemd.onControl = (word) => {
      if (word === 'enable') setTimeout(() => systemd.set('one', { InvocationID: 'second', ExecMainStatus: '7' }), 150);
      if (word === 'disable') systemd.set('one', { ActiveState: 'inactive', SubState: 'dead' });
    };
    await expect(manager.start(plan, recordingRun().run)).rejects.toThrow(/it ended with code 7/);
  });
});

describe('what is known of units', () => {
  it('is asked for again every time while nobody tells of events', async () => {
    const { manager, systemd } = await openTestSystemd();
    systemd.set('one', RUNNING);
    await manager.states(['one']);
    systemd.set('one', { MainPID: '200', NRestarts: '1' }); // crashed and was started again: it looks the same
    expect(await manager.states(['one'])).toMatchObject([{ state: 'running', pid: 200 }]);
  });

  it('is remembered while the journal tells of events, and is new after one', async () => {
    const { manager, systemd, changes } = await watched();
    systemd.asked.length = 0;
    await manager.states(['one']);
    await manager.states(['one']);
    expect(systemd.asked).toEqual(['busctl', 'systemctl', 'busctl']);
    systemd.set('one', { MainPID: '200' });
    systemd.print('one', 'Scheduled restart job', { event: true });
    expect((await changes.next()).value).toBe('one');
    expect(await manager.states(['one'])).toMatchObject([{ pid: 200 }]);
  });

  it('is nothing when the journal is followed again, and every server is told to be looked at', async () => {
    const { manager, systemd, changes } = await watched();
    await manager.states(['one']);
    const ended = changes.next();
    systemd.endFollowers();
    await expect(ended).rejects.toThrow('journalctl was killed');
    systemd.set('one', { MainPID: '200' }); // nobody heard of it
    const again = manager.changes(ending());
    expect((await again.next()).value).toBe('one');
    expect(await manager.states(['one'])).toMatchObject([{ pid: 200 }]);
    expect(systemd.following).toBe(1);
  });

  it('changes with the folder of an instance, which l4d2ctl may delete', async () => {
    const { root, changes } = await watched();
    await mkdir(join(root, 'instances/two'));
    expect((await changes.next()).value).toBe('two');
    await rm(join(root, 'instances/two'), { recursive: true });
    expect((await changes.next()).value).toBe('two');
  });

  async function watched(): Promise<TestSystemd & { changes: AsyncGenerator<string> }> {
    const test = await openTestSystemd();
    test.systemd.set('one', RUNNING);
    const changes = test.manager.changes(ending());
    expect((await changes.next()).value).toBe('one');
    return { ...test, changes };
  }
});

function ending(): AbortSignal {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  return abort.signal;
}
