import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, readFile, readdir, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { examineScripts } from '../src/doctor/examine-scripts.js';
import { listProcesses, readCommandLine } from '../src/process/process-table.js';
import { CommandRecords } from '../src/process/command-records.js';
import { CommandRunner } from '../src/process/command-runner.js';
import { Builds } from '../src/runtime/builds.js';
import { BubblewrapSandbox } from '../src/scripts/bubblewrap.js';
import { ScriptBuilds } from '../src/scripts/script-builds.js';
import { bubblewrap } from './support/bubblewrap.js';
import { installScript, makeRoot, recordingRun } from './support/fixture.js';
import { openScripts } from './support/scripts.js';

const PYTHON = '/usr/bin/python3';
describe('a script', () => {
  it('reads the game, writes its overlay, and finds its cache again in its next build', async () => {
    const scripts = await openScripts();
    const script = `
      cat "$LEFT4ME_GAME/left4dead2/stock.txt"; echo
      echo "$PWD $(id -u) $HOME"
      cat "$LEFT4ME_CACHE/runs" 2>/dev/null || true
      echo run >>"$LEFT4ME_CACHE/runs"
      mkdir -p "$LEFT4ME_OVERLAY/left4dead2"
      echo "made at $(cat "$LEFT4ME_CACHE/runs" | wc -l)" >"$LEFT4ME_OVERLAY/left4dead2/made.txt"
      [ ! -e /tmp/mine ] && touch /tmp/mine
    `;
    expect(await scripts.run(script)).toEqual(['stock', '/overlay 1000 /tmp']);
    await writeFile(join(scripts.root, 'builds/7/leftover.txt'), '');
    expect(await scripts.run(script)).toEqual(['stock', '/overlay 1000 /tmp', 'run']);
    expect(await readdir(join(scripts.root, 'builds/7'), { recursive: true })).toEqual([
      'left4dead2',
      'left4dead2/made.txt',
    ]);
    expect(await readFile(join(scripts.root, 'builds/7/left4dead2/made.txt'), 'utf8')).toBe('made at 2\n');
    expect(await readdir(join(scripts.root, 'cache/script-runs'))).toEqual([]);
    expect(scripts.said[0]).toMatch(/^left4me: script [0-9a-f]{12}, 9 lines, on build test-1 of the game$/);
    expect(scripts.said[1]).toContain('50 minutes, 2 GiB of memory, 256 processes');
  });

  it('writes to its outputs by their names, too', async () => {
    const scripts = await openScripts();
    const lines = await scripts.run(
      'echo one >/dev/stdout; echo two >/dev/stderr; echo three | tee /dev/stderr; seq 5000',
    );
    expect(lines.filter((line) => line === 'three')).toHaveLength(2);
    expect(lines).toEqual(expect.arrayContaining(['one', 'two', '1', '5000']));
    expect(lines).toHaveLength(5004);
  });

  it('that fails gives its code and its last words', async () => {
    const scripts = await openScripts();
    await expect(scripts.run('echo "no such map" >&2; exit 3')).rejects.toMatchObject({
      code: 'command-failed',
      exitCode: 3,
      message: 'no such map (the script ended with code 3)',
    });
  });

  it('knows nothing of the panel, and sees nothing but its own folders', async () => {
    const scripts = await openScripts();
    await writeFile(join(scripts.root, 'settings.env'), 'SECRET_KEY=hunter2');
    process.env.SECRET_KEY = 'hunter2';
    const lines = await scripts.run(`
      for path in ${scripts.root} ${process.cwd()} /root /home /var /srv /opt /etc/shadow /etc/left4me /run/postgresql /sys; do
        [ ! -e "$path" ] || echo "sees $path"
      done
      env | cut -d = -f 1 | sort | xargs
      cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -i -e secret -e hunter -e postgres -e redis
      grep ^Cap /proc/self/status | cut -f 2 | sort -u
      ls /proc/self/fd | xargs
      grep -r hunter2 / --exclude-dir=proc --exclude-dir=usr --exclude-dir=dev -l 2>/dev/null | grep -v /run/left4me/script
      ls / | xargs
    `);
    expect(lines).toEqual([
      'HOME LANG LEFT4ME_CACHE LEFT4ME_GAME LEFT4ME_OVERLAY PATH PWD SHLVL TMPDIR _ all_proxy http_proxy https_proxy',
      '0000000000000000',
      '0 1 2 3',
      'bin cache dev etc game lib lib64 overlay proc run sbin tmp usr',
    ]);
  });

  it('sees and ends no process but its own, and leaves none behind', async () => {
    const scripts = await openScripts();
    const mark = `7${process.pid}.${Math.floor(Math.random() * 1e9)}`;
    const lines = await scripts
      .run(`
      exec 2>/dev/null
      sleep 60 & own=$!; kill -0 $own && echo "can signal its own"
      kill -0 ${process.pid} 2>&1 | sed 's/.*) - //'
      ls -d /proc/[0-9]* | wc -l
      (setsid nohup sleep ${mark} >/dev/null 2>&1 &)
      until pgrep -x -f 'sleep ${mark}' >/dev/null; do sleep 0.01; done; echo "the daemon runs"
      kill -9 -1
      echo "not reached"
    `)
      .catch((error: unknown) => [...scripts.said.filter((line) => !line.startsWith('left4me')), String(error)]);
    expect(lines.slice(0, 2), lines.join('\n')).toEqual(['can signal its own', 'No such process']);
    expect(Number(lines[2]), lines.join('\n')).toBeLessThan(12);
    expect(lines[3]).toBe('the daemon runs');
    expect(lines.at(-1)).toContain('(the script ended with code 137)');
    const left = await Promise.all((await listProcesses()).map(({ pid }) => readCommandLine(pid)));
    expect(left.filter((line) => line.includes(mark))).toEqual([]);
  });
});

describe('a machine without a sandbox', () => {
  it('runs no script, and says why', async () => {
    const root = await makeRoot();
    await installScript(root, '#!/bin/sh\n');
    const commands = new CommandRunner(true, new CommandRecords(join(root, 'cache/commands')));
    const refusal = async (program: string): Promise<unknown> => {
      const sandbox = new BubblewrapSandbox(commands, [program]);
      const builds = new ScriptBuilds(root, new Builds(root), sandbox);
      return builds
        .build({ overlay: 7, script: `touch ${root}/ran`, refuse: [] }, recordingRun().run)
        .catch((error: unknown) => error);
    };
    expect(await refusal('/nowhere/bwrap')).toMatchObject({
      code: 'not-supported',
      message: expect.stringContaining('install the package bubblewrap'),
    });
    await writeFile(join(root, 'old-bwrap'), '#!/bin/sh\necho "bwrap: Unknown option --disable-userns" >&2; exit 1\n', {
      mode: 0o755,
    });
    expect(await refusal(join(root, 'old-bwrap'))).toMatchObject({
      code: 'not-supported',
      message: expect.stringContaining('Unknown option --disable-userns'),
    });
    expect((await readdir(root)).sort()).toEqual(['installation', 'old-bwrap']);
  });

  it('is found by doctor, with the reason', async () => {
    const options = { root: await makeRoot(), serviceManager: 'process' } as const;
    const about = 'scripts of overlays';
    expect(await examineScripts({ ...options, bubblewrap: '/nowhere/bwrap' })).toMatchObject({
      state: 'warning',
      about,
      found: expect.stringContaining('install the package bubblewrap'),
    });
    const found = 'they run in bubblewrap';
    expect(await examineScripts({ ...options, bubblewrap: await bubblewrap() })).toMatchObject({
      state: 'good',
      found,
    });
    expect(await readdir(options.root)).toEqual([]);
  });
});

describe('a script over its limits', () => {
  it('is stopped by name of the limit: processes', async () => {
    const scripts = await openScripts({ tasks: 60 });
    await scripts.run('for i in $(seq 20); do sleep 0.5 & done; wait; echo fine');
    expect(scripts.said).toContain('fine');
    const bomb = 'bomb() { bomb | bomb & }; bomb; sleep 60';
    await expect(scripts.run(bomb)).rejects.toMatchObject({
      code: 'script-stopped',
      message: 'the script was stopped: it runs more than 60 processes',
    });
  });

  it('is stopped by name of the limit: memory of one process, and of all together', async () => {
    const scripts = await openScripts({ memoryBytes: 200 * 1024 ** 2 });
    // At once: of a process that grows the watch may hear before its own limit does.
    const eat = (megabytes: number): string => `dd if=/dev/zero bs=${megabytes}M count=1 status=none | wc -c`;
    expect(await scripts.run(eat(50))).toEqual([String(50 * 1024 ** 2)]);
    await expect(scripts.run(`set -o pipefail; ${eat(400)}`)).rejects.toMatchObject({
      message: expect.stringMatching(/memory exhausted|Cannot allocate memory/),
    });
    const hold = `(head -c 90M /dev/zero | { tail -c 90M; sleep 60; } | sleep 60) &`;
    await expect(scripts.run(`${hold} ${hold} ${hold} wait`)).rejects.toMatchObject({
      message: 'the script was stopped: it uses more than 200 MiB of memory',
    });
  });

  it.skipIf(!existsSync(PYTHON))('is stopped before the machine has no memory left, whatever holds it', async () => {
    const available = Number(/^MemAvailable:\s*(\d+)/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1]) * 1024;
    const scripts = await openScripts({ memoryReserveBytes: available - 700 * 1024 ** 2 });
    // Written and never mapped: no process's figures have it.
    const fill = `import os, time
f = os.memfd_create('x')
for i in range(4096): os.write(f, bytes(1024 ** 2)); time.sleep(0.001)
time.sleep(60)`;
    await expect(scripts.run(`${PYTHON} -c "${fill}"`)).rejects.toMatchObject({
      message: expect.stringMatching(/^the script was stopped: the machine's memory is almost full: /),
    });
  });

  it('is stopped by name of the limit: disk, files, long paths and folders that cannot be counted', async () => {
    const scripts = await openScripts({ diskBytes: 20 * 1024 ** 2, entries: 500 });
    await scripts.run('head -c 10M /dev/zero >a; for i in $(seq 100); do : >f$i; done');
    const stops = async (script: string): Promise<string> =>
      scripts.run(script).then(
        () => 'not stopped',
        (error: unknown) => String(error),
      );
    expect(await stops('head -c 50M /dev/zero >a')).toMatch(/File size limit|SIGXFSZ|code 153|file too large/i);
    const much = 'the script was stopped: it has written more than 20 MiB';
    expect(await stops('for f in a b c; do head -c 10M /dev/zero >$LEFT4ME_CACHE/$f; done; sleep 60')).toContain(much);
    expect(scripts.said.at(-1)).toBe('left4me: its cache was emptied');
    expect(await stops('for f in a b c; do truncate -s 15M /tmp/$f; done')).toContain(much);
    const many = 'the script was stopped: it has made more than 500 files and folders';
    expect(await stops('for i in $(seq 600); do mkdir d$i; done; sleep 60')).toContain(many);
    expect(await stops(`for i in $(seq 600); do : >$'\\xff'$i; done`)).toContain(many);
    const deep = await stops('n=$(printf "%0200d" 0); for i in $(seq 60); do mkdir $n; cd $n; done; sleep 60');
    expect(deep).toMatch(/the path "[0/]+…[0/]+" is longer than 2048 bytes/);
    expect(await scripts.run('ls $LEFT4ME_OVERLAY | wc -l')).toEqual(['0']);
  });

  it('does not keep later builds from running, whatever folders it has closed to the service user', async () => {
    const scripts = await openScripts();
    const program = fileURLToPath(new URL('support/closed-folders.mjs', import.meta.url));
    const command = [process.execPath, program, scripts.root];
    const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ...command];
    if (process.geteuid?.() === 0) await chown(scripts.root, 65_534, 65_534);
    const [first = '', ...words] = process.geteuid?.() === 0 ? asNobody : command;
    const stopped = (folder: string): object => ({
      code: 'script-stopped',
      message: `the script was stopped: ${folder} must be readable, to count what is in it (chmod u+rwx)`,
      caches: [],
    });
    expect(JSON.parse(execFileSync(first, words, { encoding: 'utf8' }))).toEqual([
      stopped('its folder "sub"'),
      stopped('its folder "sub"'),
      stopped('one of its own folders'),
      { code: 'path-refused', message: '"closed": its mode forbids entering it (chmod u+rwx)' },
    ]);
  });

  it('is stopped before the disk is full, when its time is over, and when somebody cancels it', async () => {
    const full = await openScripts({ reserveBytes: Number.MAX_SAFE_INTEGER });
    await expect(full.run('sleep 60')).rejects.toMatchObject({
      message: expect.stringMatching(/^the script was stopped: the disk is almost full: /),
    });
    const crowded = await openScripts({ reserveInodes: Number.MAX_SAFE_INTEGER });
    const { files } = await statfs(crowded.root);
    // Some filesystems have no number of them.
    const outcome = await crowded.run(`sleep ${files > 0 ? 60 : 1}`).then(() => 'ran', String);
    expect(outcome).toMatch(files > 0 ? /was stopped: the disk takes hardly any more files: / : /^ran$/);
    const scripts = await openScripts({ seconds: 0.5 });
    const stubborn = "trap '' TERM INT HUP; while :; do sleep 60; done";
    await expect(scripts.run(stubborn)).rejects.toMatchObject({ code: 'timed-out' });
    const stop = new AbortController();
    const patient = await openScripts();
    const cancelled = patient.run(`echo begun; ${stubborn}`, { signal: stop.signal }).catch((error: unknown) => error);
    await expect.poll(() => patient.said).toContain('begun');
    stop.abort();
    expect(await cancelled).toMatchObject({ code: 'interrupted' });
    expect(await readdir(join(patient.root, 'cache/script-runs'))).toEqual([]);
  });
});
