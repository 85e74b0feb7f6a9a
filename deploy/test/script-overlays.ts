import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Machine } from './machine.js';
import type { Panel } from './panel.js';

const lines = z.object({ items: z.array(z.object({ line: z.string() })) });

/** A web address through the proxy of scripts, or, with a second word, without it. The machine has no curl. */
const GET = `
const [address, direct] = process.argv.slice(1), { hostname, port, host, pathname } = new URL(address);
const end = (code, text) => { console.log(text); process.exit(code); };
const through = direct ? { hostname, port, path: pathname } : { hostname: '127.0.0.1', port: 3128, path: address, headers: { host } };
require('node:http').get({ ...through, timeout: 5000 }, async (answer) => {
  let text = ''; for await (const part of answer) text += part; end(answer.statusCode < 400 ? 0 : 1, answer.statusCode + ' ' + text);
}).on('error', (error) => end(1, error.code)).on('timeout', () => end(1, 'no answer'));`;

/** Prints `<name>: ok`, or the first line that the attempt said when it failed. */
const TRY = `
try() { local name=$1 said; shift; if said=$("$@" 2>&1); then echo "$name: ok"; else echo "$name: \${said%%$'\\n'*}"; fi; }
get() { node -e "$GET" "$@"; }
`;

/** Each with what it says when it is refused; beside it what shows that the attempt itself works. */
const HOSTILE = `
try own-overlay touch /overlay/made
try own-cache touch /cache/x
try own-tmp touch /tmp/x
try own-process sh -c 'sleep 1 & kill -0 $!'
for path in / /game /usr /etc /var /run/left4me /dev; do try "write $path" touch "$path/x"; done
for path in /etc/left4me /etc/shadow /var/lib/left4me /var/lib/postgresql /opt/left4me /root/.bashrc /home/x /var/run/postgresql \\
  /run/redis-left4me /run/dbus /run/systemd/private /run/systemd/journal/socket /sys/fs /dev/shm/x; do try "see $path" ls "$path"; done
try "kill the worker" kill -0 "$WORKER"
echo "processes: $(ls -d /proc/[0-9]* | wc -l)"
echo "environment: $(env | cut -d = -f 1 | sort | xargs)"
echo "capabilities: $(grep ^Cap /proc/self/status | cut -f 2 | sort -u)"
try namespace unshare --user true
try mount mount -t tmpfs none /tmp
try setuid chmod u+s /overlay/made
try "this machine" get http://127.0.0.1:8080/health/live
try "its loopback" get http://127.0.0.1/
try "its address" get "http://$ADDRESS/"
try "a private one" get http://10.0.0.1/
try "without the proxy" get "http://$ADDRESS:8080/health/live" direct
ln -s /etc/left4me/host.env /overlay/link
(setsid nohup sleep 98765 >/dev/null 2>&1 &)
`;

/** An overlay that a script makes, and a script that wants more, in the unit as it was installed. */
export function testScriptOverlays(machine: Machine, panel: Panel): void {
  async function overlay(name: string, script: string): Promise<number> {
    const id = await panel.make('overlays', { name, kind: 'script' });
    await panel.ask('PUT', `/overlays/${id}/script`, { script });
    return id;
  }
  async function build(id: number): Promise<{ state: string; error: string | null; log: string[] }> {
    const job = await panel.ended(await panel.queue(`/overlays/${id}/builds`), 120);
    const log = lines.parse(await panel.ask('GET', `/jobs/${job.id}/logs?limit=2000`)).items.map(({ line }) => line);
    return { ...job, log };
  }

  describe('an overlay that a script makes', () => {
    it('is built in a unit: its lines are the log’s, its files the revision’s, its cache is kept', async () => {
      const script = `set -euo pipefail
        for i in $(seq 1500); do echo "line $i"; done
        cat "$LEFT4ME_CACHE/runs" 2>/dev/null || :
        echo run >>"$LEFT4ME_CACHE/runs"
        [ -e "$LEFT4ME_GAME/srcds_run" ]
        mkdir -m 700 "$LEFT4ME_OVERLAY/left4dead2"
        cat "$LEFT4ME_CACHE/runs" >left4dead2/runs.txt
        chmod 000 left4dead2/runs.txt && chmod 600 left4dead2/runs.txt`;
      const id = await overlay('made-by-script', script);
      const first = await build(id);
      expect(first, first.log.slice(-5).join('\n')).toMatchObject({ state: 'succeeded' });
      const numbered = first.log.filter((line) => /^line \d+$/.test(line));
      expect(numbered).toEqual(Array.from({ length: 1500 }, (_, index) => `line ${index + 1}`));
      expect((await build(id)).log).toContain('run');
      expect(await machine.get('cat', `/var/lib/left4me/overlays/${id}/2/left4dead2/runs.txt`)).toBe('run\nrun');
      await panel.ask('PUT', `/overlays/${id}/script`, { script: 'echo "the mirror is gone" >&2; exit 7' });
      expect(await build(id)).toMatchObject({ state: 'failed', error: expect.stringContaining('the mirror is gone') });
      const { ActiveState } = await machine.unit(`left4me-script@${id}.service`, 'ActiveState');
      expect(ActiveState).toBe('inactive');
    });

    it('reaches, sees and hurts nothing else', async () => {
      const { MainPID } = await machine.unit('left4me-worker.service', 'MainPID');
      // It is all there, for whoever is outside.
      await machine.get('ls', '/etc/left4me', '/var/lib/postgresql', '/run/redis-left4me', '/run/dbus', '/opt/left4me');
      await machine.get('node', '-e', GET, `http://${machine.address}:8080/health/live`, 'direct');
      const known = `WORKER=${MainPID} ADDRESS=${machine.address} GET='${GET.replaceAll("'", `'\\''`)}'`;
      const { state, log } = await build(await overlay('hostile-script', `${known}\n${TRY}${HOSTILE}`));
      expect(state, log.join('\n')).toBe('succeeded');
      const said = (name: string): string =>
        log.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? '';
      for (const own of ['own-overlay', 'own-cache', 'own-tmp', 'own-process']) expect(said(own), own).toBe('ok');
      const attempts = log.map((line) => /^((write|see) [^:]+):/.exec(line)?.[1]).filter((name) => name !== undefined);
      expect(attempts).toHaveLength(21);
      for (const name of attempts) {
        const refusal = name.startsWith('write')
          ? /Read-only file system$/
          : /No such file or directory$|Permission denied$/;
        expect(said(name), name).toMatch(refusal);
      }
      expect(said('kill the worker')).toMatch(/No such process/);
      expect(Number(said('processes'))).toBeLessThan(10);
      expect(said('environment')).toBe(
        'HOME LANG LEFT4ME_CACHE LEFT4ME_GAME LEFT4ME_OVERLAY PATH PWD SHLVL TMPDIR _ all_proxy http_proxy https_proxy',
      );
      expect(said('capabilities')).toBe('0000000000000000');
      expect(said('namespace')).toMatch(/Operation not permitted/);
      expect(said('mount')).toMatch(/must be superuser|permission denied|not permitted/i);
      expect(said('setuid')).toMatch(/Operation not permitted/);
      for (const place of ['its loopback', 'its address', 'a private one']) {
        expect(log.join('\n')).toContain('scripts reach the public internet only');
        expect(said(place), place).toMatch(/403/);
      }
      expect(said('this machine')).toMatch(/403/);
      expect(said('without the proxy')).toMatch(/^(ENETUNREACH|ECONNREFUSED)$/);
      expect(log).toContain('left out "link": the link is absolute');
      expect((await machine.run(['pgrep', '--full', 'sleep 98765'])).stdout).toBe('');
      console.log(`      a hostile script: ${attempts.length + 12} attempts refused`);
    });

    it('is stopped at its limits, by name', async () => {
      const bomb = `sh -c 'while :; do sleep 3 & done' 2>&1; set -- /proc/[0-9]*; echo "tasks: $#"`;
      const { log } = await build(await overlay('bomb', bomb));
      expect(log.join('\n')).toContain('Cannot fork');
      const tasks = Number(log.find((line) => line.startsWith('tasks: '))?.slice('tasks: '.length));
      expect(tasks).toBeGreaterThan(200);
      expect(tasks).toBeLessThan(256);
      const deep = 'n=$(printf %0200d 0); for i in $(seq 30); do mkdir $n; cd $n; done; sleep 100';
      const began = Date.now();
      const long = await build(await overlay('deep', deep));
      expect(long).toMatchObject({ state: 'failed', error: expect.stringContaining('is longer than 2048 bytes') });
      expect(Date.now() - began).toBeLessThan(60_000);
    });
  });
}
