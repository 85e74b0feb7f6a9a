import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  eventually,
  logWith,
  makeRevision,
  makeSpec,
  openTestHost,
  statusOf,
  WAITING_SERVER,
  type TestHost,
} from './support/fixture.js';

/** Starts a server whose overlay brings this script, and returns what the script printed before `done`. */
async function runInside(test: TestHost, name: string, script: string): Promise<string[]> {
  const revision = await makeRevision(test.root, `7/${name.length}`, { 'probe.sh': `${script}\necho done\n` });
  await test.host.initialize(name, makeSpec({ overlays: [revision] }), test.run);
  await test.host.start(name, test.run);
  const log = await logWith(test.host, name, 'done');
  return log.slice(1, log.indexOf('done'));
}

/** A path as the server sees it, through its own mount. */
async function insideOf(test: TestHost, name: string, path: string): Promise<string> {
  return join(`/proc/${(await statusOf(test.host, name)).pid}/root/game`, path);
}

describe('two servers from one overlay', () => {
  it('share its layers, each seeing its own merged tree and not what the other wrote', async () => {
    const test = await openTestHost();
    const { host, run, root } = test;
    const low = await makeRevision(root, '1/1', {
      'left4dead2/addons/a.txt': 'low a',
      'left4dead2/addons/b.txt': 'low b',
    });
    const high = await makeRevision(root, '2/5', {
      'left4dead2/addons/b.txt': 'high b',
      'probe.sh': 'echo "$*" >/dev/null',
    });
    for (const name of ['one', 'two']) {
      const cfg = { path: 'left4dead2/cfg/server.cfg', content: `hostname "${name}"\n` };
      await host.initialize(name, makeSpec({ overlays: [high, low], files: [cfg] }), run);
      await host.start(name, run);
    }
    for (const name of ['one', 'two']) {
      const read = async (path: string): Promise<string> => readFile(await insideOf(test, name, path), 'utf8');
      expect(await read('left4dead2/addons/a.txt')).toBe('low a');
      expect(await read('left4dead2/addons/b.txt')).toBe('high b');
      expect(await read('left4dead2/stock.txt')).toBe('stock');
      expect(await read('left4dead2/cfg/server.cfg')).toBe(`hostname "${name}"\n`);
    }
    await writeFile(await insideOf(test, 'one', 'left4dead2/addons/a.txt'), 'changed by one');
    await writeFile(await insideOf(test, 'one', 'left4dead2/new.txt'), 'new');
    expect(await readFile(await insideOf(test, 'one', 'left4dead2/addons/a.txt'), 'utf8')).toBe('changed by one');
    expect(await readFile(await insideOf(test, 'two', 'left4dead2/addons/a.txt'), 'utf8')).toBe('low a');
    await expect(stat(await insideOf(test, 'two', 'left4dead2/new.txt'))).rejects.toMatchObject({ code: 'ENOENT' });

    // On the disk each layer is there once, and only the writer has a copy.
    expect(await readFile(join(root, 'overlays/1/1/left4dead2/addons/a.txt'), 'utf8')).toBe('low a');
    expect(await readdir(join(root, 'instances/one/upper/left4dead2'))).toEqual(['addons', 'new.txt']);
    expect(await readdir(join(root, 'instances/two/upper'))).toEqual([]);
    expect(await readdir(join(root, 'instances/two/merged'))).toEqual([]);
  });

  it('keep what they wrote over a restart, and trash/ gets it when they are deleted', async () => {
    const test = await openTestHost({ server: `#!/bin/sh\necho run >>runs.txt\ncat runs.txt\n${WAITING_SERVER}` });
    const { host, run, root } = test;
    await host.initialize('one', makeSpec(), run);
    for (let i = 0; i < 2; i++) {
      await host.start('one', run);
      await logWith(host, 'one', 'up');
      await host.stop('one', run);
    }
    await host.delete('one', 'one/12', run);
    expect(await readFile(join(root, 'trash/one/12/files/runs.txt'), 'utf8')).toBe('run\nrun\n');
    expect(await readdir(join(root, 'instances'))).toEqual([]);
  });
});

describe('initialize on a running server', () => {
  it('changes nothing that it sees; the next start takes the new generation', async () => {
    const test = await openTestHost();
    const { host, run, root } = test;
    const files = (text: string): { path: string; content: string }[] => [
      { path: 'left4dead2/cfg/server.cfg', content: text },
    ];
    const first = await makeRevision(root, '1/1', { 'left4dead2/x.txt': 'revision 1' });
    const second = await makeRevision(root, '1/2', { 'left4dead2/x.txt': 'revision 2' });
    await host.initialize('one', makeSpec({ overlays: [first], files: files('old') }), run);
    await host.start('one', run);
    const seen = async (): Promise<string[]> =>
      Promise.all(
        ['left4dead2/cfg/server.cfg', 'left4dead2/x.txt', 'left4dead2/stock.txt'].map(async (path) =>
          readFile(await insideOf(test, 'one', path), 'utf8'),
        ),
      );
    const before = await seen();
    for (let i = 0; i < 3; i++) {
      await host.initialize(
        'one',
        makeSpec({ overlays: [second], files: files('new'), hide: ['left4dead2/stock.txt'] }),
        run,
      );
    }
    expect(await seen()).toEqual(before);
    expect(await readdir(join(root, 'instances/one/generations'))).toEqual(['1', '4']);
    await host.stop('one', run);
    await host.start('one', run);
    expect(await statusOf(host, 'one')).toMatchObject({ generation: 4, nextGeneration: 4 });
    expect(await readFile(await insideOf(test, 'one', 'left4dead2/x.txt'), 'utf8')).toBe('revision 2');
    await expect(stat(await insideOf(test, 'one', 'left4dead2/stock.txt'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(join(root, 'instances/one/generations'))).toEqual(['4']);
  });
});

describe('a server with many overlays', () => {
  it('starts with twelve of them, the first on top', async () => {
    const test = await openTestHost();
    const overlays: string[] = [];
    for (let id = 1; id <= 12; id++) {
      const files = { [`only-${id}.txt`]: '', 'same.txt': `from ${id}` };
      overlays.push(await makeRevision(test.root, `${1_000_000 + id}/${123_456 + id}`, files));
    }
    await test.host.initialize('one', makeSpec({ overlays }), test.run);
    await test.host.start('one', test.run);
    expect(await readFile(await insideOf(test, 'one', 'same.txt'), 'utf8')).toBe('from 1');
    for (let id = 1; id <= 12; id++) await stat(await insideOf(test, 'one', `only-${id}.txt`));
  });
});

describe('a hostile server', () => {
  it('sees nothing but its own tree, has no capability and is not uid 0', async () => {
    const test = await openTestHost();
    await writeFile(join(test.root, 'settings.env'), 'SECRET_KEY=hunter2\n');
    await test.host.initialize('victim', makeSpec({ arguments: ['+victim'] }), test.run);
    await test.host.start('victim', test.run);
    process.env.SECRET_KEY = 'hunter2';
    const said = await runInside(
      test,
      'hostile',
      `
      echo "uid $(id -u)"
      for path in ${test.root} ${test.root}/settings.env ${process.cwd()} /root /home /var/lib /sys /etc/shadow /etc/ssl/private; do
        [ ! -e "$path" ] || echo "sees $path"
      done
      echo "processes $(ls -d /proc/[0-9]* | wc -l)"
      grep -l victim /proc/[0-9]*/cmdline 2>/dev/null
      grep -h SECRET /proc/[0-9]*/environ 2>/dev/null
      env | grep -i -e secret -e redis -e database -e left4me
      find / -xdev -name settings.env -o -xdev -name run.json 2>/dev/null
      grep ^Cap /proc/self/status | tr -s '\\t' ' '
      grep ^NoNewPrivs /proc/self/status | tr -s '\\t' ' '
      echo "files" $(ls /proc/self/fd)
      `,
    );
    const uid = process.geteuid?.() === 0 ? 1000 : process.geteuid?.();
    expect(said.filter((line) => !/^(uid|processes|Cap|NoNewPrivs)/.test(line))).toEqual(['files 0 1 2 3']);
    expect(said).toContain(`uid ${uid}`);
    expect(said.filter((line) => line.startsWith('Cap'))).toEqual(
      ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'].map((set) => `Cap${set}: 0000000000000000`),
    );
    expect(said).toContain('NoNewPrivs: 1');
    const processes = Number(said.find((line) => line.startsWith('processes'))?.split(' ')[1]);
    expect(processes).toBeLessThan(8);
  });

  it('cannot change the machine, nor get out by mounts, namespaces or signals', async () => {
    const test = await openTestHost();
    const attempts = {
      'write to /usr': 'touch /usr/owned',
      'write to /etc': 'touch /etc/owned',
      'write to /': 'touch /owned',
      'write to /dev': 'touch /dev/owned',
      'chmod /dev/null': 'chmod 000 /dev/null',
      'set a sysctl': 'echo owned >/proc/sys/kernel/hostname',
      'set the core pattern': "echo '|/game/owned' >/proc/sys/kernel/core_pattern",
      'press sysrq': 'echo s >/proc/sysrq-trigger',
      'make a user namespace': 'unshare --user true',
      'raise that limit': 'echo 100 >/proc/sys/user/max_user_namespaces',
      mount: 'mount -t tmpfs tmpfs /tmp',
      unmount: 'umount /proc/sys',
      remount: 'mount -o remount,bind,rw /usr',
      chroot: 'chroot /tmp true',
      'make a device': 'mknod /game/disk b 8 0',
      'read kernel memory': 'head -c1 /proc/kcore | grep .',
      'kill its init': 'kill -9 1 && sleep 0.2 && ! kill -0 1',
    };
    const script = Object.entries(attempts).map(
      ([what, how]) => `if ( ${how} ) >/dev/null 2>&1; then echo "could ${what}"; fi`,
    );
    const said = await runInside(
      test,
      'hostile',
      `${script.join('\n')}\necho survived >/dev/null && echo "null works"`,
    );
    expect(said).toEqual(['null works']);
    expect((await stat('/dev/null')).mode & 0o777).toBe(0o666);
    await eventually(async () => (await statusOf(test.host, 'hostile')).state === 'running');
  });

  it('can write in its tree, in /tmp and in shared memory, and resolve names', async () => {
    const test = await openTestHost();
    const said = await runInside(
      test,
      'friendly',
      `
      for folder in /game /game/left4dead2 /tmp /var/tmp /dev/shm; do echo x >$folder/w && echo "$folder"; done
      getent passwd $(id -u) | cut -d: -f1,6
      getent hosts localhost >/dev/null && echo resolves
      `,
    );
    expect(said).toEqual(['/game', '/game/left4dead2', '/tmp', '/var/tmp', '/dev/shm', 'l4d2:/game', 'resolves']);
  });
});
