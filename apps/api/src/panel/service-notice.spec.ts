import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ServiceNotice } from './service-notice.js';

/** For programs to be started and to write. */
const WAIT_MS = 20_000;

let folder: string;
let heard: string;
const warnings: string[] = [];
const warn = (sentence: string) => void warnings.push(sentence);
const lines = async () => (await readFile(heard, 'utf8').catch(() => '')).split('\n').filter(Boolean);

/** A systemd-notify that writes down what it is told. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'left4me-notice-'));
  heard = join(folder, 'heard');
  await program(`echo "$NOTIFY_SOCKET: $*" >>'${heard}'`);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH']}`);
  vi.stubEnv('NOTIFY_SOCKET', '/run/notify');
  warnings.length = 0;
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function program(script: string): Promise<void> {
  await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'systemd-notify'), 0o755);
}

it('tells systemd that it is ready, lives, and stops', async () => {
  const notice = new ServiceNotice({ NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '60000' }, warn);
  await notice.ready('Answering', () => true);
  // The first sign of life may have come by now.
  expect((await lines())[0]).toBe('/run/notify: --ready --status=Answering');
  await vi.waitFor(async () => expect(await lines()).toContain('/run/notify: WATCHDOG=1'), WAIT_MS);
  await notice.stopping();
  const [first, ...signs] = await lines();
  expect([first, signs.pop()]).toEqual(['/run/notify: --ready --status=Answering', '/run/notify: STOPPING=1']);
  expect([...new Set(signs)]).toEqual(['/run/notify: WATCHDOG=1']);
  expect(warnings).toEqual([]);
});

it('says nothing more when the process is not what it should be', async () => {
  let alive = true;
  const asked = { alive: 0, dead: 0 };
  const isAlive = () => {
    asked[alive ? 'alive' : 'dead']++;
    return alive;
  };
  const pings = async () => (await lines()).filter((line) => line.endsWith('WATCHDOG=1')).length;
  const notice = new ServiceNotice({ NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '60000' }, warn);
  await notice.ready('Serving host local', isAlive);
  await vi.waitFor(async () => expect(await pings()).toBeGreaterThan(0), WAIT_MS);
  alive = false;
  await vi.waitFor(() => expect(asked.dead).toBeGreaterThan(5), WAIT_MS);
  await vi.waitFor(async () => expect(await pings()).toBe(asked.alive), WAIT_MS);
  await notice.stopping();
});

it('tells nobody where systemd does not ask, and asks for no watchdog that is another process’s', async () => {
  const elsewhere = new ServiceNotice({}, warn);
  await elsewhere.ready('Answering', () => true);
  await elsewhere.stopping();
  expect(await lines()).toEqual([]);
  const asked: number[] = [];
  const child = new ServiceNotice({ NOTIFY_SOCKET: '/x', WATCHDOG_USEC: '3000', WATCHDOG_PID: '1' }, warn);
  await child.ready('Answering', () => asked.push(1) > 0);
  await child.stopping();
  expect(asked).toEqual([]);
});

it('warns when systemd cannot be told, and goes on', async () => {
  await program('echo "no such socket" >&2; exit 1');
  const notice = new ServiceNotice({ NOTIFY_SOCKET: '/run/notify' }, warn);
  await notice.ready('Answering', () => true);
  expect(warnings).toEqual([expect.stringMatching(/^systemd could not be told that left4me runs: .*no such socket/s)]);
});
