import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LogRequest, ServerLogLine } from '../src/host.js';
import { ask } from '../src/systemd/ask.js';
import { EntryQueue } from '../src/systemd/entry-queue.js';
import { JournalPositions } from '../src/systemd/journal-positions.js';
import { journalctl, type Journalctl } from '../src/systemd/journalctl.js';
import { LogBegins } from '../src/systemd/log-begins.js';
import { makeRoot } from './support/fixture.js';
import { JOURNAL, makeInstance, openTestSystemd, type TestSystemd } from './support/systemd.js';

const OTHER = 'b'.repeat(32);

describe('the log of a server in the journal', () => {
  it('is its history and then what is heard, each line once and in order', async () => {
    const { systemd, logs } = await openWithOne();
    for (const line of ['1', '2', '3']) systemd.print('one', line);
    systemd.print('two', 'not mine');
    // Between the follower's begin and the end of the history: in both.
    systemd.beforeHistory = async () => {
      systemd.beforeHistory = () => Promise.resolve();
      await expect.poll(() => systemd.following).toBe(1);
      systemd.print('one', '4');
    };
    const reader = read(logs, { lines: 10, follow: true });
    expect(await reader.take(4)).toEqual(['1', '2', '3', '4']);
    systemd.print('one', '5');
    expect(await reader.take(1)).toEqual(['5']);
  });

  it('is followed from the first entry there is, by one journalctl without a tail', async () => {
    const { systemd, logs } = await openWithOne();
    systemd.print('one', '1');
    await read(logs, { follow: true }).take(1);
    await read(logs, { follow: true }).take(1);
    const follows = systemd.asked.filter((words) => words.includes('--follow'));
    expect(follows).toHaveLength(1);
    expect(follows[0]).toContain(`--follow --no-tail --after-cursor=s=${JOURNAL};i=1 `);
  });

  it('ends with the failure of its journalctl, and goes on after the last line with a new one', async () => {
    const { systemd, logs } = await openWithOne();
    systemd.print('one', '1');
    const reader = read(logs, { follow: true });
    await reader.take(1);
    const next = reader.next();
    await expect.poll(() => systemd.following).toBe(1);
    systemd.endFollowers();
    await expect(next).rejects.toThrow('journalctl was killed');
    systemd.print('one', '2');
    const again = read(logs, { after: reader.position(), follow: true });
    expect(await again.take(1)).toEqual(['2']);
  });

  it('has no hole where a reader was too slow for its queue', async () => {
    const { systemd, logs } = await openWithOne();
    systemd.print('one', '1');
    const reader = read(logs, { follow: true });
    await reader.take(1);
    const most = 20_500;
    await expect.poll(() => systemd.following).toBe(1);
    for (let n = 2; n <= most; n++) systemd.print('one', String(n));
    await nextTurn();
    const rest = await reader.take(most - 1);
    expect(rest).toEqual(Array.from({ length: most - 1 }, (_, i) => String(i + 2)));
  });

  it('has only what comes after a position, though its place in the journal is gone', async () => {
    const { systemd, logs } = await openWithOne();
    for (const line of ['1', '2', '3']) systemd.print('one', line);
    const [first, second] = await all(logs.read('one', {}));
    if (first === undefined || second === undefined) throw new Error('no lines');
    expect((await all(logs.read('one', { after: first.position }))).map(({ line }) => line)).toEqual(['2', '3']);
    for (const entry of systemd.entries) entry.cursor = ''; // journalctl begins with the oldest then
    expect((await all(logs.read('one', { after: second.position }))).map(({ line }) => line)).toEqual(['3']);
  });

  it('is whole, and goes on, after a position that only another machine can have given', async () => {
    const { root, systemd, logs } = await openWithOne();
    await write(root, { [JOURNAL]: 1000 });
    systemd.print('one', '1');
    systemd.print('one', '2');
    const reader = read(logs, { after: '2000-7', follow: true });
    expect(await reader.take(2)).toEqual(['1', '2']);
    systemd.print('one', '3');
    expect(await reader.take(1)).toEqual(['3']);
  });

  it('of many servers is read a few at a time', async () => {
    const test = await openTestSystemd();
    const { systemd, begins, logs } = test;
    const names = Array.from({ length: 20 }, (_, i) => `server-${i}`);
    for (const name of names) await makeInstance(test, name);
    for (const name of names) systemd.print(name, 'hello');
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    systemd.beforeHistory = () => held;
    const lookedUp = vi.spyOn(begins, 'of');
    const reading = Promise.all(names.map((name) => all(logs.read(name, {}))));
    // From here to its journalctl nothing holds a reader but the limit.
    await expect.poll(() => lookedUp.mock.settledResults.map(({ type }) => type)).toEqual(names.map(() => 'fulfilled'));
    await nextTurn();
    goOn();
    const lines = await reading;
    expect(lines.map(({ length }) => length)).toEqual(names.map(() => 1));
    expect(systemd.mostReading).toBe(3);
  });
});

describe('the log of an instance whose name another one had', () => {
  /** The last entry of the instance before, and then the instance `one`, as often as asked for. */
  async function openAfterAnother(): Promise<TestSystemd> {
    const test = await openTestSystemd();
    test.systemd.print('one', 'of the owner before', { number: 7 });
    test.systemd.print('one', 'Stopped', { event: true, number: 8 });
    await makeInstance(test, 'one');
    return test;
  }

  it('begins with the instance, and is nothing once that is gone', async () => {
    const test = await openAfterAnother();
    const { systemd, logs, root } = test;
    expect(await all(logs.read('one', {}))).toEqual([]);
    systemd.print('one', 'mine', { number: 9 });
    await makeInstance(test, 'one'); // initialized again
    expect((await all(logs.read('one', { lines: 20_000 }))).map(({ line }) => line)).toEqual(['mine']);
    // From a place that is not in the journal any more it reads all of it.
    expect((await all(logs.read('one', { after: '1-1' }))).map(({ line }) => line)).toEqual(['mine']);
    await rm(join(root, 'instances/one'), { recursive: true });
    expect(await all(logs.read('one', {}))).toEqual([]);
    await makeInstance(test, 'one');
    expect(await all(logs.read('one', {}))).toEqual([]);
  });

  it('is whole though the clock was set back, and in journals that count anew has what is later', async () => {
    const { systemd, logs } = await openAfterAnother();
    systemd.print('one', 'mine', { number: 9, at: new Date('2020-01-01') });
    systemd.print('one', 'in an archive of before', { journal: OTHER, number: 900, at: new Date('2020-01-01') });
    systemd.print('one', 'mine in a new journal', { journal: OTHER, number: 1, at: new Date(Date.now() + 60_000) });
    const lines = await all(logs.read('one', {}));
    expect(lines.map(({ line }) => line)).toEqual(['mine', 'mine in a new journal']);
  });

  it('is nothing where the record of its begin is damaged, until it is initialized again', async () => {
    const test = await openAfterAnother();
    await writeFile(join(test.root, 'instances/one/log-begin.json'), '{"journal":');
    expect(await all(test.logs.read('one', {}))).toEqual([]);
    await makeInstance(test, 'one');
    test.systemd.print('one', 'mine', { number: 9 });
    expect((await all(test.logs.read('one', {}))).map(({ line }) => line)).toEqual(['mine']);
  });
});

describe('a queue of what is heard', () => {
  it('ends when it overflows, with what it took before', async () => {
    const { systemd, follower } = await openWithOne();
    const queue = await EntryQueue.open(follower, 'one', undefined);
    await expect.poll(() => systemd.following).toBe(1);
    for (let n = 1; n <= 20_001; n++) systemd.print('one', String(n));
    await nextTurn();
    const heard = [];
    for await (const entry of queue) heard.push(entry.line);
    queue.close();
    expect(heard).toHaveLength(20_000);
    await expect.poll(() => systemd.following).toBe(0);
  });
});

describe('positions', () => {
  const entry = { server: 'one', cursor: '', number: 1, stream: 'stdout', line: '', at: '', event: false } as const;

  it('of two processes that met journals one after the other are kept by both', async () => {
    const file = join(await makeRoot(), 'epochs.json');
    const worker = new JournalPositions(file);
    const command = new JournalPositions(file);
    await Promise.all([worker.cursorOf('1-1'), command.cursorOf('1-1')]); // both have read it
    const first = await worker.of({ ...entry, journal: JOURNAL });
    await command.of({ ...entry, journal: OTHER });
    expect(await new JournalPositions(file).of({ ...entry, journal: JOURNAL })).toBe(first);
    expect(await command.of({ ...entry, journal: JOURNAL })).toBe(first);
  });

  it('asked for at the same time are of one epoch each', async () => {
    const positions = new JournalPositions(join(await makeRoot(), 'epochs.json'));
    const journals = [JOURNAL, OTHER, JOURNAL, OTHER];
    const given = await Promise.all(journals.map((journal) => positions.of({ ...entry, journal })));
    expect(new Set(given).size).toBe(2);
    expect(await Promise.all(journals.map((journal) => positions.of({ ...entry, journal })))).toEqual(given);
  });
});

describe('what systemd and the journal are asked with', () => {
  it('does not know the secrets of the worker', async () => {
    process.env.SECRET_KEY = 'of the worker';
    onTestFinished(() => void delete process.env.SECRET_KEY);
    expect(await ask('env', [])).not.toContain('SECRET_KEY');
    const program = join(await makeRoot(), 'journalctl');
    const fields = `"__CURSOR":"s=${JOURNAL};i=1;b=1","__REALTIME_TIMESTAMP":"1","_SYSTEMD_UNIT":"left4me-server@one.service"`;
    await writeFile(
      program,
      `#!/bin/sh\necho "{${fields.replaceAll('"', '\\"')},\\"MESSAGE\\":\\"<$SECRET_KEY>\\"}"\n`,
      { mode: 0o755 },
    );
    const [entry] = await all(journalctl([], undefined, program));
    expect(entry?.line).toBe('<>');
  });

  it('fails with the last words of journalctl', async () => {
    const program = join(await makeRoot(), 'journalctl');
    await writeFile(program, '#!/bin/sh\necho "Failed to open" >&2\nexit 1\n', { mode: 0o755 });
    await expect(all(journalctl([], undefined, program))).rejects.toThrow('journalctl failed: Failed to open');
  });

  it('is not waited for without end where a log begins: it is ended with its job, and after its time', async () => {
    const root = await makeRoot();
    await writeFile(join(root, 'journalctl'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const hanging: Journalctl = (args, signal) => journalctl(args, signal, join(root, 'journalctl'));
    const never = new AbortController().signal;
    await expect(new LogBegins(root, hanging, 100).mark('one', never)).rejects.toMatchObject({ code: 'timed-out' });
    const job = new AbortController();
    const marked = new LogBegins(root, hanging).mark('one', job.signal);
    job.abort();
    await expect(marked).rejects.toMatchObject({ code: 'interrupted' });
    expect(await readdir(root)).toEqual(['journalctl']);
  });
});

/** By then the stand-in has handed on all it has, and whoever waited for nothing but a promise has gone on. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function openWithOne(): Promise<TestSystemd> {
  const test = await openTestSystemd();
  await makeInstance(test, 'one');
  return test;
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const taken = [];
  for await (const item of items) taken.push(item);
  return taken;
}

async function write(root: string, epochs: Record<string, number>): Promise<void> {
  await mkdir(join(root, 'cache'));
  await writeFile(join(root, 'cache', 'journal-epochs.json'), JSON.stringify(epochs));
}

/** Reads a followed log step by step; it ends with the test. */
function read(logs: { read(name: string, request: LogRequest): AsyncGenerator<ServerLogLine> }, request: LogRequest) {
  const abort = new AbortController();
  onTestFinished(() => abort.abort());
  const lines = logs.read('one', { ...request, signal: abort.signal });
  let last = '';
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('the log ended');
    last = value.position;
    return value.line;
  };
  const take = async (count: number): Promise<string[]> => {
    const taken: string[] = [];
    while (taken.length < count) taken.push(await next());
    return taken;
  };
  return { next, take, position: () => last };
}
