import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerView } from '../src/servers/server.dto.js';
import { eventually } from './eventually.js';
import { Instance } from './instance.js';
import { RealPanel } from './real-panel.js';

const ADDON = 'left4dead2/addons/shared.txt';
const CFG = 'left4dead2/cfg/server.cfg';
const missing = { code: 'ENOENT' };

let panel: RealPanel;
beforeAll(async () => {
  panel = await RealPanel.make();
});
afterAll(() => panel.close());

const instanceOf = ({ name, port }: ServerView) => new Instance(panel.root, name, port);

/** Every file below a folder. */
async function filesIn(folder: string): Promise<string[]> {
  // The kernel's own, always empty, where nobody but root may look.
  if (folder.endsWith('/work/work')) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  const below = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : entry.isFile() ? [path] : [];
  });
  return (await Promise.all(below)).flat();
}

/** Files of that content below a folder. */
async function copiesOf(content: string, folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const path of await filesIn(folder)) {
    if ((await stat(path)).size === content.length && (await readFile(path, 'utf8')) === content) found.push(path);
  }
  return found;
}

describe('two servers from one overlay', () => {
  const CONTENT = `shared by both ${'x'.repeat(10_000)}`;
  let one: Instance;
  let two: Instance;
  let overlay: number;

  beforeAll(async () => {
    overlay = await panel.overlay('shared', { [ADDON]: CONTENT, 'left4dead2/addons/other.txt': 'other' });
    const blueprint = await panel.blueprint('shared', [overlay], { config: 'sv_tags "{{name}}"' });
    const servers = [await panel.server('first', blueprint), await panel.server('second', blueprint)];
    [one, two] = servers.map(instanceOf) as [Instance, Instance];
    await Promise.all(servers.map(({ name }) => panel.startServer(name)));
  });

  it('share its layer, which is once on the disk beside its draft', async () => {
    const places = ['drafts', 'builds', 'overlays', 'instances', 'installation', 'cache', 'trash'];
    const copies = (await Promise.all(places.map((place) => copiesOf(CONTENT, join(panel.root, place))))).flat();
    expect(copies.sort()).toEqual([
      join(panel.root, 'drafts', String(overlay), ADDON),
      join(panel.root, 'overlays', String(overlay), '1', ADDON),
    ]);
    // The game's 100 MB too.
    const games = (await filesIn(panel.root)).filter((path) => path.endsWith('demo-node'));
    expect(games).toEqual([expect.stringContaining(join(panel.root, 'installation'))]);
  });

  it('see each their own merged tree: their configuration over the overlay over the game', async () => {
    for (const [instance, name] of [
      [one, 'first'],
      [two, 'second'],
    ] as const) {
      expect(await readFile(await instance.inside(ADDON), 'utf8')).toBe(CONTENT);
      expect(await readFile(await instance.inside('left4dead2/gameinfo.txt'), 'utf8')).toContain('Left 4 Dead 2');
      expect(await readFile(await instance.inside(CFG), 'utf8')).toContain(`sv_tags "${name}"`);
      expect(await instance.rcon('sv_tags')).toBe(`"sv_tags" = "${name}"\n`);
    }
  });

  it('do not see what the other writes, and write nothing into the layers', async () => {
    await writeFile(await one.inside(ADDON), 'changed by the first');
    await writeFile(await one.inside('left4dead2/new.txt'), 'made by the first');
    expect(await readFile(await one.inside(ADDON), 'utf8')).toBe('changed by the first');
    expect(await readFile(await two.inside(ADDON), 'utf8')).toBe(CONTENT);
    await expect(stat(await two.inside('left4dead2/new.txt'))).rejects.toMatchObject(missing);
    expect(await readFile(join(panel.root, 'overlays', String(overlay), '1', ADDON), 'utf8')).toBe(CONTENT);
    expect(await readFile(join(one.folder, 'upper', ADDON), 'utf8')).toBe('changed by the first');
    // What the demo server writes by itself is each one's own as well.
    for (const { folder } of [one, two]) {
      expect(await readdir(join(folder, 'upper/left4dead2'))).toContain('logs');
    }
    const [game = ''] = await readdir(join(panel.root, 'installation'));
    await expect(stat(join(panel.root, 'installation', game, 'left4dead2/logs'))).rejects.toMatchObject(missing);
  });
});

describe('a server whose overlay is hostile', () => {
  /** Prints everything of the machine that it can find or change, each with `FOUND`. */
  const hostile = (root: string, secret: string, pids: number[]): string => `#!/bin/sh
exec 2>&1
found() { echo "FOUND $*"; }
find / -xdev -name srcds.mjs >/dev/null || echo "find does not work"
grep -qrs attacker /game/left4dead2/cfg /etc && grep -qs srcds_run /proc/[0-9]*/cmdline && echo "it can look around"
[ "$(id -u)" != 0 ] || found "is root"
for path in ${root} ${root}/secret-key ${root}/postgres ${root}/run ${root}/instances/victim /root /home /var/lib /sys /etc/shadow; do
  [ ! -e "$path" ] || found "path $path"
done
for name in secret-key redis.sock .s.PGSQL.5432 postmaster.pid PG_VERSION run.json spec.yaml secret-of-the-victim.txt; do
  find / -xdev -name "$name" 2>/dev/null | while read -r path; do found "file $path"; done
  find /game /proc /tmp /dev -maxdepth 4 -name "$name" 2>/dev/null | while read -r path; do found "file $path"; done
done
grep -rsl "${secret}" /game/left4dead2/cfg /etc /tmp /run 2>/dev/null | while read -r path; do found "secret in $path"; done
grep -sl -e '[v]ictim' -e '[p]ostgres' -e '[r]edis' -e 'left4me[.]js' /proc/[0-9]*/cmdline | while read -r path; do found "process $path"; done
grep -s -e SECRET -e PASSWORD -e LEFT4ME -e DATABASE /proc/[0-9]*/environ && found "environment"
for pid in ${pids.join(' ')}; do
  kill -0 "$pid" 2>/dev/null && [ -e "/proc/$pid/cmdline" ] && found "process $pid $(tr '\\0' ' ' <"/proc/$pid/cmdline")"
  ls "/proc/$pid/root/game" 2>/dev/null && found "root of $pid"
done
for folder in /usr /etc / /game/../ /dev; do (echo x >"$folder/owned") 2>/dev/null && found "could write $folder"; done
mount -t tmpfs tmpfs /tmp 2>/dev/null && found "could mount"
unshare --user --map-root-user true 2>/dev/null && found "could make a user namespace"
ls /proc/self/fd | while read -r fd; do [ "$fd" -le 3 ] || found "descriptor $fd"; done
echo "looked around: $(ls -d /proc/[0-9]* | wc -l) processes"
exec ./bin/demo-node --max-old-space-size=48 ./bin/srcds.mjs "$@"
`;

  it('finds no other server, no settings, no database, no Redis, no other process, and can change nothing', async () => {
    const victim = await panel.server('victim', await panel.blueprint('victim'));
    await panel.startServer('victim');
    await writeFile(await instanceOf(victim).inside('secret-of-the-victim.txt'), 'a secret');
    const { server, supervisor, launcher } = await instanceOf(victim).pids();
    const secret = (await readFile(join(panel.root, 'secret-key'), 'utf8')).trim();
    expect(secret.length).toBeGreaterThan(31);

    const script = hostile(panel.root, secret, [server, supervisor, launcher, panel.pid, process.pid]);
    const blueprint = await panel.blueprint('hostile', [await panel.overlay('hostile', { srcds_run: script })]);
    const attacker = await panel.server('attacker', blueprint);
    await panel.startServer('attacker');

    let log: string[] = [];
    await eventually(
      () => `it has looked around:\n${log.join('\n')}`,
      async () => {
        log = (await instanceOf(attacker).lines()).map(({ line }) => line);
        return log.some((line) => line.startsWith('looked around'));
      },
    );
    expect(log).toContain('it can look around');
    expect(log).not.toContain('find does not work');
    expect(log.filter((line) => line.startsWith('FOUND'))).toEqual([]);
    const count = Number(/looked around: (\d+) processes/.exec(log.join('\n'))?.[1]);
    expect(count).toBeLessThan(10);
    // What it printed is what the panel shows.
    const { body } = await panel.admin.get('/api/v1/servers/attacker/logs?lines=500').expect(200);
    expect(body.items.map(({ line }: { line: string }) => line)).toContain(`looked around: ${count} processes`);
    expect(await panel.get('victim')).toMatchObject({ actualState: 'running', ready: true });
  });

  it('shares the network, but reaches neither database nor Redis, and the panel only like anybody else', async () => {
    const script = `#!/bin/sh
cat >probe.cjs <<'END'
const { connect } = require('node:net');
const { readFileSync } = require('node:fs');
const say = (what, answer) => console.log('ANSWER', what, answer);
// The kernel tells the names of all sockets of this network; the folders they are in must not be there.
const sockets = readFileSync('/proc/net/unix', 'utf8').match(/\\S+(redis\\.sock|PGSQL\\.\\d+)$/gm) ?? [];
for (const path of sockets.concat('${panel.root}/run/redis.sock')) {
  const socket = connect({ path }, () => say('socket', 'CONNECTED'));
  socket.on('error', (error) => say('socket', error.code));
}
for (const path of ['/api/v1/servers', '/api/v1/users', '/api/v1/jobs', '/queues'])
  fetch('${panel.url}' + path).then(({ status }) => say('panel', status), (error) => say('panel', error.cause.code));
setInterval(() => {}, 1000);
END
exec ./bin/demo-node probe.cjs
`;
    const blueprint = await panel.blueprint('curious', [await panel.overlay('curious', { srcds_run: script })]);
    const curious = await panel.server('curious', blueprint);
    expect(await panel.do('curious', 'start')).toMatchObject({ state: 'succeeded' });
    const log = async () => (await instanceOf(curious).lines()).map(({ line }) => line);
    const answers = async (of: string) => (await log()).filter((line) => line.startsWith(`ANSWER ${of} `));
    await eventually(
      'it has tried',
      async () => (await answers('panel')).length === 4 && (await answers('socket')).length > 0,
    );
    expect([...new Set(await answers('panel'))]).toEqual(['ANSWER panel 401']);
    expect([...new Set(await answers('socket'))]).toEqual(['ANSWER socket ENOENT']);
  });
});
