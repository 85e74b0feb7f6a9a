import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine } from './machine.js';
import type { Panel } from './panel.js';
import { PublicServer } from './public-server.js';
import { ScriptBuilds } from './script-builds.js';

/** The same as in bubblewrap: libs/host/test/hostile-script.spec.ts. */
const HOSTILE = readFileSync(join(import.meta.dirname, '../../libs/host/test/support/hostile-script.sh'), 'utf8');
/** There on every machine with a panel; some of it a unit could easily let through. */
const OUTSIDE = [
  ['/etc/left4me', '/var/lib/left4me', '/var/lib/postgresql', '/var/log/journal', '/opt/left4me', '/sys/fs/cgroup'],
  ['/run/systemd/private', '/run/systemd/journal/socket', '/run/postgresql', '/run/redis-left4me', '/run/dbus'],
].flat();
/** listxattr(2) by its number: the names of all attributes of the paths below a folder. */
const ATTRIBUTES = `find "$1" -print0 | perl -0 -ne 'my $number = \`uname -m\` =~ /aarch64/ ? 11 : 194;
  chomp; my ($path, $names) = ($_, "\\0" x 1000); my $length = syscall($number, $path, $names, 1000);
  print substr($names, 0, $length) =~ tr/\\0/\\n/r if $length > 0'`;
/** Of the proxy's answer the last line. */
const GET = `get() { exec 9<>/dev/tcp/127.0.0.1/3128; printf 'GET %s HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' "$1" >&9; tail -n 1 <&9; echo; }`;

/** An overlay that a script makes, and a script that wants more, in the unit as it was installed. */
export function testScriptOverlays(machine: Machine, panel: Panel): void {
  const builds = new ScriptBuilds(panel);

  describe('an overlay that a script makes', () => {
    it('is built in a unit: its lines are the log’s, its files the revision’s, its cache is kept', async () => {
      const script = `set -euo pipefail
        for i in $(seq 1500); do echo "line $i"; done
        echo by-name >/dev/stderr
        cat "$LEFT4ME_CACHE/runs" 2>/dev/null || :
        echo run >>"$LEFT4ME_CACHE/runs"
        [ -e "$LEFT4ME_GAME/srcds_run" ]
        mkdir -m 700 "$LEFT4ME_OVERLAY/left4dead2"
        cat "$LEFT4ME_CACHE/runs" >left4dead2/runs.txt
        chmod 000 left4dead2/runs.txt && chmod 600 left4dead2/runs.txt`;
      const id = await builds.overlay('made-by-script', script);
      const first = await builds.build(id);
      expect(first, first.log.slice(-5).join('\n')).toMatchObject({ state: 'succeeded' });
      const numbered = first.log.filter((line) => /^line \d+$/.test(line));
      expect(numbered).toEqual(Array.from({ length: 1500 }, (_, index) => `line ${index + 1}`));
      expect((await builds.build(id)).log).toEqual(expect.arrayContaining(['by-name', 'run']));
      expect(await machine.get('cat', `/var/lib/left4me/overlays/${id}/2/left4dead2/runs.txt`)).toBe('run\nrun');
      await builds.write(id, 'echo "the mirror is gone" >&2; exit 7');
      const failed = await builds.build(id);
      expect(failed).toMatchObject({ state: 'failed', error: expect.stringContaining('the mirror is gone') });
      const { ActiveState } = await machine.unit(`left4me-script@${id}.service`, 'ActiveState');
      expect(ActiveState).toBe('inactive');
    });

    it('has examples in the installation', async () => {
      expect(await machine.get('left4me', 'seed-script-overlays')).toMatch(/^Made ".*"\.\nMade ".*"\.\nMade ".*"\.$/);
    });

    it('has the public internet', async () => {
      const server = await PublicServer.listen('a campaign');
      try {
        const { log } = await builds.build(
          await builds.overlay('from-the-internet', `${GET}\nget http://${server.address}/campaign.vpk`),
        );
        expect(log, log.join('\n')).toContain('a campaign');
        // Not from an address of its own: the worker has asked.
        expect(server.askedFrom).toEqual([machine.address]);
      } finally {
        await server.close();
      }
    });

    it('gets at nothing else, and what its script forged is not published', async () => {
      const { MainPID } = await machine.unit('left4me-worker.service', 'MainPID');
      await machine.get('ls', ...OUTSIDE);
      const about = `OUTSIDE='${OUTSIDE.join(' ')}' PANEL=${MainPID} ADDRESS=${machine.address} PORT=8080\n`;
      const id = await builds.overlay('hostile-script', about + HOSTILE);
      const { state, log } = await builds.build(id);
      const said = log.join('\n');
      expect(state, said).toBe('succeeded');
      expect(log.filter((line) => /^(FAILS|SUCCEEDED): /.test(line))).toEqual([]);
      const refused = log.filter((line) => line.startsWith('refused: '));
      console.log(`      a hostile script: ${refused.length} attempts refused`);
      expect(refused.length, said).toBeGreaterThan(40);
      expect(log.filter((line) => line.startsWith('works: ')).length, said).toBe(7);
      expect(log).toContain('works: forge attributes');
      expect(said).toMatch(/^capabilities: 0+$/m);
      expect(said).toMatch(/^files with secrets: $/m);
      expect(Number(/^processes: (\d+)$/m.exec(said)?.[1])).toBeLessThan(12);
      expect(/^environment: (.*)$/m.exec(said)?.[1]).toBe(
        'HOME LANG LEFT4ME_CACHE LEFT4ME_GAME LEFT4ME_OVERLAY PATH PWD SHLVL TMPDIR _ all_proxy http_proxy https_proxy',
      );
      expect(log).toContainEqual(expect.stringMatching(/^left4me: refused: scripts reach the public internet only/));
      expect((await machine.run(['pgrep', '--full', 'sleep 98765'])).stdout).toBe('');

      for (const name of ['absolute', 'outside', 'pipe'])
        expect(log).toContainEqual(expect.stringContaining(`left out "${name}": `));
      const revision = `/var/lib/left4me/overlays/${id}/1`;
      expect((await machine.get('ls', revision)).split('\n')).toEqual(['forged.txt', 'mine', 'opaque']);
      expect(await machine.get('sh', '-c', ATTRIBUTES, 'sh', revision)).toBe('');
    });
  });
}
