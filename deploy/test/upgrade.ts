import { describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import { type Installation, PASSWORD } from './installation.js';
import { NumberedLines } from './numbered-lines.js';
import type { Panel } from './panel.js';
import { scriptedBlueprint } from './scripted-server.js';

const unitOf = (name: string) => `left4me-server@${name}.service`;
/** What is measured, for whoever reads the log. */
const tell = (what: string) => console.log(`      ${what}`);

/** The installer run again, twice, while these servers and eight chatty ones run. */
export function testUpgrade(installation: Installation, panel: Panel, names: readonly string[]): void {
  const { machine } = installation;

  describe('an upgrade', () => {
    /** With the two of twelve overlays there are ten. */
    const chatty = Array.from({ length: 8 }, (_, i) => `chatty-${i + 1}`);
    const script = [
      '#!/bin/sh',
      // A server's own attempt at the worker's rights; what it says is in the log.
      'sudo -n /usr/bin/systemctl reset-failed left4me-server@alpha.service 2>&1 | sed "s/^/sudo says: /"',
      'n=0',
      'while :; do n=$((n + 1)); echo "line $n"; sleep 0.05; done',
      '',
    ].join('\n');

    /** The number of the last line, by systemd's own journal. */
    const printed = async (name: string) => {
      const words = ['--output=cat', '--lines=1', `--unit=${unitOf(name)}`, '--grep=^line '];
      return Number((await machine.get('journalctl', ...words)).slice('line '.length));
    };

    it('finds servers that print numbered lines', async () => {
      const blueprintId = await scriptedBlueprint('numbered lines', script, machine, panel);
      for (const name of chatty) await panel.make('servers', { name, blueprintId });
      await Promise.all(chatty.map((name) => panel.does(`/servers/${name}/jobs`, { operation: 'start' })));
      let abuse: string[] = [];
      await eventually('sudo has answered', async () => {
        const said = await panel.logs('chatty-1', 'lines=2000');
        abuse = said.filter(({ line }) => line.startsWith('sudo says: ')).map(({ line }) => line);
        return said.some(({ line }) => line === 'line 1');
      });
      tell(`a server's own attempt: ${abuse.join(' ')}`);
      expect(abuse.join('\n')).toMatch(/no new privileges|must be owned by uid 0|effective uid/i);
    });

    it(
      'leaves servers alone, and loses no line of theirs: the same version, then another',
      { timeout: 600_000 },
      async () => {
        const look = () =>
          Promise.all([...names, ...chatty].map((name) => machine.unit(unitOf(name), 'MainPID', 'NRestarts')));
        const before = await look();
        const panelBefore = await machine.unit('left4me-worker.service', 'MainPID');
        const readers = await Promise.all(chatty.map((name) => NumberedLines.from(panel, name)));
        for (const change of [() => Promise.resolve(), () => installation.changeSources()]) {
          await change();
          const began = Date.now();
          const { code, stderr } = await installation.install();
          expect({ code, stderr }).toEqual({ code: 0, stderr: expect.any(String) });
          tell(`upgraded in ${Math.round((Date.now() - began) / 1000)} s`);
          await panel.logIn('admin', PASSWORD);
          for (const reader of readers) await reader.readUpTo(await printed(reader.server));
        }
        expect(await look()).toEqual(before);
        expect(await machine.unit('left4me-worker.service', 'MainPID')).not.toEqual(panelBefore);
        const counts = readers.map(({ seen }) => seen.length);
        const gaps = readers.flatMap((reader) => reader.gaps());
        tell(
          `${counts.reduce((sum, count) => sum + count)} lines of ${chatty.length} servers through two upgrades, ${gaps.length} gaps; restarts of ${before.length} servers: 0`,
        );
        expect(Math.min(...counts)).toBeGreaterThan(50);
        expect(gaps).toEqual([]);
      },
    );
  });
}
