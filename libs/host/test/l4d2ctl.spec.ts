import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { cp, mkdtemp, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { removeTree } from '../src/overlay/remove-tree.js';
import { eventually, installScript, makeRoot, makeSpec, WAITING_SERVER } from './support/fixture.js';

const PROGRAM = fileURLToPath(new URL('../dist/cli/l4d2ctl.js', import.meta.url));
const isRoot = process.geteuid?.() === 0;

interface Result {
  code: number | null;
  out: string;
  err: string;
}

/** @param owner of LEFT4ME_ROOT. When root runs the tests and owns it, the program runs itself once more, which takes twice the time. */
async function prepare(
  script = WAITING_SERVER,
  owner: 'root' | 'service user' = 'service user',
): Promise<{ root: string; ctl: (...args: string[]) => Result; specFile: string }> {
  const root = await makeRoot();
  await installScript(root, script);
  const ctl = (...args: string[]): Result => {
    const env = { ...process.env, LEFT4ME_ROOT: root };
    const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { env, encoding: 'utf8' });
    return { code: status, out: stdout, err: stderr };
  };
  const specFile = join(root, 'spec.yaml');
  const text = `port: ${makeSpec().port}\narguments: [+map, c1m1_hotel]\nfiles:\n  - path: left4dead2/cfg/x.cfg\n    content: hello\n`;
  await writeFile(specFile, text);
  if (isRoot && owner === 'service user') execFileSync('chown', ['-R', '65534:65534', root]);
  onTestFinished(async () => {
    ctl('stop', 'one');
    await removeTree(root);
  });
  return { root, ctl, specFile };
}

function parse(result: Result): Record<string, unknown> {
  return JSON.parse(result.out);
}

describe('l4d2ctl without LEFT4ME_ROOT', () => {
  /** A checkout of its own, with this one's program and dependencies. */
  async function checkoutOf(): Promise<{ folder: string; ctl: (...args: string[]) => Result }> {
    const folder = await mkdtemp(join(tmpdir(), 'left4me-checkout-'));
    onTestFinished(() => removeTree(folder));
    const host = join(folder, 'libs/host');
    const from = fileURLToPath(new URL('..', import.meta.url));
    for (const part of ['bin', 'dist', 'programs', 'package.json'])
      await cp(join(from, part), join(host, part), { recursive: true });
    await symlink(join(from, '../../node_modules'), join(folder, 'node_modules'));
    const ctl = (...args: string[]): Result => {
      const { LEFT4ME_ROOT: _, ...env } = process.env;
      const argv = [join(host, 'bin/l4d2ctl.mjs'), ...args];
      const { status, stdout, stderr } = spawnSync(process.execPath, argv, { env, cwd: '/', encoding: 'utf8' });
      return { code: status, out: stdout, err: stderr };
    };
    return { folder, ctl };
  }

  it('finds the state of npm start in its checkout', async () => {
    const { root } = await prepare(WAITING_SERVER, 'root');
    const { folder, ctl } = await checkoutOf();
    await symlink(root, join(folder, '.left4me'));
    expect(ctl('status', 'one', '--json')).toMatchObject({ code: 0, err: '' });
  });

  it('says where it looked for it', async () => {
    const { folder, ctl } = await checkoutOf();
    const err = `l4d2ctl: neither ${folder}/.left4me nor /var/lib/left4me exists; LEFT4ME_ROOT says where the state is\n`;
    expect(ctl('status', 'one')).toEqual({ code: 1, out: '', err });
    expect(ctl('--help')).toMatchObject({ code: 0, out: expect.stringContaining('.left4me in the checkout') });
  });
});

describe('l4d2ctl', () => {
  it('initializes, starts, shows, stops and deletes a server', async () => {
    const { ctl, specFile } = await prepare();
    expect(parse(ctl('status', 'one', '--json'))).toMatchObject({ name: 'one', state: 'absent' });
    expect(ctl('initialize', 'one', '-f', specFile)).toMatchObject({ code: 0, out: 'one: generation 1 is next\n' });
    expect(ctl('start', 'one')).toEqual({ code: 0, out: 'one runs generation 1\n', err: '' });
    expect(ctl('start', 'one')).toEqual({ code: 0, out: 'one runs already\n', err: '' });
    expect(parse(ctl('status', 'one', '--json'))).toMatchObject({ state: 'running', generation: 1 });
    expect(ctl('status', 'one').out).toMatch(/^one: running, process \d+, generation 1\n$/);
    expect(ctl('logs', 'one', '--lines', '1', '--no-follow').out).toMatch(
      /^\S+Z up -game left4dead2 .* \+map c1m1_hotel\n$/,
    );
    expect(ctl('stop', 'one').code).toBe(0);
    expect(ctl('delete', 'one')).toMatchObject({ code: 0, out: 'one is gone\n' });
    const none = { code: 0, out: 'there is no server one on this host\n', err: '' };
    expect(ctl('delete', 'one')).toEqual(none);
    expect(ctl('status', 'one')).toEqual(none);
  });

  it('passes the code and stderr of what failed through', async () => {
    const { ctl, specFile } = await prepare('#!/bin/sh\n');
    await writeFile(specFile, 'port: 27015\nbuild: test-1\n');
    ctl('initialize', 'one', '-f', specFile);
    const failed = (await prepare('#!/no/such/interpreter\n')).ctl;
    const other = await prepare('#!/no/such/interpreter\n', 'root');
    other.ctl('initialize', 'one', '-f', other.specFile);
    const result = other.ctl('start', 'one');
    expect([126, 127]).toContain(result.code);
    expect(result.err).toMatch(/srcds_run/);
    expect(failed('start', 'one')).toMatchObject({ code: 1, err: 'l4d2ctl: one has not been initialized\n' });
  });

  it('takes a specification by standard input', async () => {
    const { root } = await prepare();
    const result = spawnSync(process.execPath, [PROGRAM, 'initialize', 'one', '-f', '-'], {
      env: { ...process.env, LEFT4ME_ROOT: root },
      encoding: 'utf8',
      input: `port: ${makeSpec().port}\n`,
    });
    expect(result).toMatchObject({ status: 0, stdout: 'one: generation 1 is next\n' });
  });

  it('names what is wrong with its input', async () => {
    const { ctl, root, specFile } = await prepare();
    await writeFile(specFile, 'port: 27015\noverlays: ["../1"]\n');
    expect(ctl('initialize', 'one', '-f', specFile)).toMatchObject({
      code: 1,
      err: expect.stringContaining('overlays[0]'),
    });
    const missingFile = join(root, 'no.yaml');
    expect(ctl('initialize', 'one', '-f', missingFile)).toMatchObject({
      code: 1,
      err: `l4d2ctl: ${missingFile} does not exist\n`,
    });
    expect(ctl('initialize', '../one', '-f', specFile).code).toBe(1);
    expect(ctl('initialize', 'one').code).toBe(2);
    expect(ctl('frobnicate').code).toBe(2);
    expect(ctl('logs', 'one', '--lines', 'many').code).toBe(2);
    expect(ctl('--help')).toMatchObject({ code: 0, out: expect.stringContaining('Exit codes: 0 success') });
    const env = { ...process.env, LEFT4ME_ROOT: join(root, 'missing') };
    const missing = spawnSync(process.execPath, [PROGRAM, 'status', 'one'], { env, encoding: 'utf8' });
    expect(missing).toMatchObject({ status: 1, stderr: expect.stringContaining('does not exist') });
  });

  it('follows a log until it is interrupted', async () => {
    const { ctl, root, specFile } = await prepare('#!/bin/sh\nwhile :; do echo tick; sleep 0.1; done\n', 'root');
    expect(ctl('initialize', 'one', '-f', specFile)).toMatchObject({ code: 0, out: 'one: generation 1 is next\n' });
    expect(ctl('start', 'one')).toEqual({ code: 0, out: 'one runs generation 1\n', err: '' });
    const following = spawn(process.execPath, [PROGRAM, 'logs', 'one', '--lines', '0', '--follow'], {
      env: { ...process.env, LEFT4ME_ROOT: root },
    });
    let ticks = 0;
    following.stdout.on('data', (chunk: Buffer) => (ticks += chunk.toString().split('tick').length - 1));
    await eventually(async () => ticks >= 5);
    following.kill('SIGTERM');
    await eventually(async () => following.exitCode !== null);
    expect(following.exitCode).toBe(0);
    expect(parse(ctl('status', 'one', '--json'))).toMatchObject({ state: 'running', generation: 1 });
    expect(ctl('stop', 'one').code).toBe(0);
  });

  it.runIf(isRoot)('says how the service user gets a file that only root may read', async () => {
    const { ctl } = await prepare();
    const folder = await mkdtemp(join(tmpdir(), 'left4me-spec-'));
    onTestFinished(() => removeTree(folder));
    const file = join(folder, 'spec.yaml');
    await writeFile(file, 'port: 27015\n');
    const result = ctl('initialize', 'one', '-f', file);
    expect(result).toMatchObject({ code: 1, err: expect.stringMatching(/^l4d2ctl: user \S+ may not read .* -f - </) });
  });

  it.runIf(isRoot)('becomes the owner of LEFT4ME_ROOT when root runs it', async () => {
    const { ctl, root, specFile } = await prepare();
    expect(ctl('initialize', 'one', '-f', specFile).code).toBe(0);
    expect(ctl('start', 'one').code).toBe(0);
    expect((await stat(join(root, 'instances/one/run.json'))).uid).toBe(65534);
    const { pid } = parse(ctl('status', 'one', '--json'));
    expect((await stat(`/proc/${String(pid)}`)).uid).toBe(65534);
  });
});
