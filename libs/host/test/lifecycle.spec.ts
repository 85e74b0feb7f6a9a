import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Host, InvalidName, InvalidSpec, NoRuntime, NotInitialized, StartFailed, openHost } from '../src/index.js';
import { SETTLE_MS } from '../src/launcher/launch-plan.js';
import { ProcessManager } from '../src/process-manager/process-manager.js';
import {
  eventually,
  logOf,
  logWith,
  makeRoot,
  makeSpec,
  openTestHost,
  recordingRun,
  statusOf,
} from './support/fixture.js';

describe.each(['namespaces', 'copy'] as const)('a server (%s)', (isolation) => {
  const settling = { isolation, settleMs: SETTLE_MS };

  it('is initialized, started, seen running, stopped and deleted', async () => {
    const { host, run } = await openTestHost({ isolation });
    expect((await statusOf(host, 'one')).state).toBe('absent');
    const spec = makeSpec({ arguments: ['+map', 'c1m1_hotel versus'] });
    expect(await host.initialize('one', spec, run)).toEqual({ generation: 1 });
    expect(await statusOf(host, 'one')).toMatchObject({ state: 'stopped', generation: null, nextGeneration: 1 });

    expect(await host.start('one', run)).toEqual({ generation: 1, alreadyRunning: false });
    const status = await statusOf(host, 'one');
    expect(status).toMatchObject({ state: 'running', generation: 1, exitCode: null, signal: null });
    expect((await readFile(`/proc/${status.pid}/cmdline`, 'utf8')).split('\0')).toContain('./srcds_run');
    const log = await logWith(host, 'one', 'up ');
    expect(log[0]).toBe(
      `up -game left4dead2 -norestart -strictportbind -ip 0.0.0.0 -port ${spec.port} +map c1m1_hotel versus`,
    );

    await host.stop('one', run);
    expect(await statusOf(host, 'one')).toMatchObject({ state: 'stopped', pid: null, exitCode: 0 });
    expect(await logOf(host, 'one')).toContain('bye');
    await host.stop('one', run);
    await host.delete('one', 'one/7', run);
    expect((await statusOf(host, 'one')).state).toBe('absent');
    await host.delete('one', 'one/8', run);
  });

  it('is left untouched by a second start', async () => {
    const { host, run } = await openTestHost({ isolation });
    await host.initialize('one', makeSpec(), run);
    await host.start('one', run);
    const before = await statusOf(host, 'one');
    await host.initialize('one', makeSpec(), run);
    expect(await host.start('one', run)).toEqual({ generation: 1, alreadyRunning: true });
    expect(await statusOf(host, 'one')).toEqual({ ...before, nextGeneration: 2 });
  });

  it('runs once when started twice at the same time', async () => {
    const { host, run } = await openTestHost({ isolation });
    await host.initialize('one', makeSpec(), run);
    const results = await Promise.all([host.start('one', run), host.start('one', run), host.start('one', run)]);
    expect(results.filter((result) => !result.alreadyRunning)).toHaveLength(1);
    expect((await logWith(host, 'one', 'up ')).filter((line) => line.startsWith('up '))).toHaveLength(1);
  });

  it('is failed, with code and signal, when it crashes, and can be started again', async () => {
    const { host, run } = await openTestHost({ isolation });
    await host.initialize('one', makeSpec(), run);
    await host.start('one', run);
    await crash(host, 'one');
    await eventually(async () => (await statusOf(host, 'one')).state === 'failed');
    expect(await statusOf(host, 'one')).toMatchObject({
      exitCode: 139,
      signal: 'SIGSEGV',
      pid: null,
      reason: 'it was ended by SIGSEGV',
    });
    expect(await host.start('one', run)).toMatchObject({ alreadyRunning: false });
  });

  it('is stopped by force when it ignores everything else', async () => {
    const server = "#!/bin/sh\ntrap '' TERM\necho up\nwhile :; do sleep 0.05; done\n";
    const { host, run, root, said } = await openTestHost({ isolation, server });
    await host.initialize('one', makeSpec(), run);
    await host.start('one', run);
    await logWith(host, 'one', 'up');
    // Once with the patience that it has really.
    if (isolation === 'namespaces') await host.stop('one', run);
    else await new ProcessManager(root, 200).stop('one', null, run);
    expect(said).toContain('sent SIGTERM');
    expect(said).toContain('sent SIGKILL');
    expect(await statusOf(host, 'one')).toMatchObject({ state: 'stopped', signal: 'SIGKILL' });
  });

  it('that cannot be executed fails to start, saying why', async () => {
    const { host, run } = await openTestHost({ ...settling, server: '#!/nonexistent/interpreter\n' });
    await host.initialize('one', makeSpec(), run);
    const error = await host.start('one', run).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(StartFailed);
    if (!(error instanceof StartFailed)) return;
    expect([126, 127]).toContain(error.exitCode);
    expect(error.lastLines.join('\n')).toMatch(/srcds_run/);
    expect(await statusOf(host, 'one')).toMatchObject({ state: 'failed', reason: 'it did not start' });
  });

  it.each([
    ['exit 7', 7, 7],
    ['sleep 0.2; exit 7', 7, 7],
    ['exit 0', 0, 1],
  ])('that ends soon (%s) has failed to start, with its code and last words', async (end, ended, exitCode) => {
    const { host, run } = await openTestHost({ ...settling, server: `#!/bin/sh\necho no such map >&2\n${end}\n` });
    await host.initialize('one', makeSpec(), run);
    const message = `no such map (one did not start: it ended with code ${ended})`;
    await expect(host.start('one', run)).rejects.toMatchObject({ code: 'start-failed', exitCode, message });
    expect(await statusOf(host, 'one')).toMatchObject({ state: ended === 0 ? 'stopped' : 'failed', pid: null });
  });

  it('that says much before it fails says the cause first', async () => {
    const words =
      'echo Auto detecting CPU; echo reading; echo config/server.cfg: no such map >&2; sleep 0.1; echo bye; exit 7';
    const { host, run } = await openTestHost({ ...settling, server: `#!/bin/sh\n${words}\n` });
    await host.initialize('one', makeSpec(), run);
    await expect(host.start('one', run)).rejects.toMatchObject({
      message: expect.stringMatching(
        /^config\/server\.cfg: no such map \(one did not start: it ended with code 7; it also said: .*bye\)$/,
      ),
    });
  });

  it('that finds its port in use says so first, and not of a later start that fails of something else', async () => {
    const refused = `echo "Couldn't allocate any server IP port" >&2; exit 1`;
    const server = `#!/bin/sh\nif [ -e tried ]; then exit 7; fi; touch tried; ${refused}\n`;
    const { host, run } = await openTestHost({ ...settling, server });
    const spec = makeSpec();
    await host.initialize('one', spec, run);
    await expect(host.start('one', run)).rejects.toMatchObject({
      message: `Port ${spec.port} is in use: Couldn't allocate any server IP port (one did not start: it ended with code 1)`,
    });
    await expect(host.start('one', run)).rejects.toMatchObject({
      message: 'one did not start: it ended with code 7',
    });
  });

  it.each<[string, (host: Host) => Promise<unknown>]>([
    ['has just begun', () => sleep(30)],
    ['waits whether the server stays', (host) => eventually(async () => (await statusOf(host, 'one')).pid !== null)],
  ])('that is being started is stopped when the signal aborts and the start %s', async (_, moment) => {
    const { host, run } = await openTestHost({ isolation, settleMs: 60_000 });
    await host.initialize('one', makeSpec(), run);
    const stop = new AbortController();
    const starting = host.start('one', recordingRun(stop.signal).run).catch((error: unknown) => error);
    await moment(host);
    stop.abort();
    expect(await starting).toMatchObject({ code: 'interrupted' });
    expect(await statusOf(host, 'one')).toMatchObject({ state: 'stopped', pid: null });
  });

  it('tells watchers within a second that it started and that it ended', async () => {
    const { host, root, run } = await openTestHost({ isolation });
    await host.initialize('one', makeSpec(), run);
    const stop = new AbortController();
    onTestFinished(() => stop.abort());
    const told: number[] = [];
    const watching = (async () => {
      for await (const name of host.watch(stop.signal)) if (name === 'one') told.push(Date.now());
    })();
    /** How long after what its supervisor wrote last, which is its status from then on, they were told of a change. */
    const delay = async (): Promise<number> => {
      const { ctimeMs } = await stat(join(root, 'instances/one/run.json'));
      const since = Math.floor(ctimeMs); // as Date.now() counts
      return (await eventually(async () => told.find((at) => at >= since) ?? null)) - since;
    };
    await host.status(); // behind the same question of the watch, which goes by that answer
    await host.start('one', run);
    expect((await statusOf(host, 'one')).state).toBe('running');
    expect(await delay()).toBeLessThan(1_000);
    await crash(host, 'one');
    await eventually(async () => (await statusOf(host, 'one')).state === 'failed');
    expect(await delay()).toBeLessThan(1_000);
    stop.abort();
    await watching;
  });
});

/** What a fault in its program does to a server. */
async function crash(host: Host, name: string): Promise<void> {
  const { pid } = await statusOf(host, name);
  if (pid === null) throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGSEGV');
}

describe('what is refused', () => {
  it('names, unknown revisions, missing builds and servers that were never initialized', async () => {
    const { host, run } = await openTestHost();
    for (const name of ['', 'A', '-a', '../a', 'a/b', 'a'.repeat(33), 'a\n']) {
      await expect(host.initialize(name, makeSpec(), run)).rejects.toBeInstanceOf(InvalidName);
      await expect(host.start(name, run)).rejects.toBeInstanceOf(InvalidName);
      await expect(host.delete(name, 'a/1', run)).rejects.toBeInstanceOf(InvalidName);
      expect(() => host.logs(name, {})).toThrow(InvalidName);
    }
    await expect(host.delete('a', '../x', run)).rejects.toBeInstanceOf(InvalidName);
    await expect(host.start('never', run)).rejects.toBeInstanceOf(NotInitialized);
    await expect(host.initialize('one', makeSpec({ overlays: ['9/9'] }), run)).rejects.toMatchObject({
      path: 'overlays[0]',
    });
    await expect(host.initialize('one', makeSpec({ port: 80 }), run)).rejects.toBeInstanceOf(InvalidSpec);
    await expect(host.initialize('one', makeSpec({ build: 'nope' }), run)).rejects.toBeInstanceOf(NoRuntime);
    expect((await statusOf(host, 'one')).state).toBe('absent');
  });

  it('the systemd manager, clearly, and a relative root', async () => {
    const root = await makeRoot();
    await expect(openHost({ root, serviceManager: 'systemd' })).rejects.toMatchObject({ code: 'not-supported' });
    await expect(openHost({ root: join('a', 'b'), serviceManager: 'process' })).rejects.toThrow(/absolute/);
  });
});
