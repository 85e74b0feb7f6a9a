import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openHost } from '../src/index.js';
import { listProcesses, readCommandLine } from '../src/process/process-table.js';
import { recordingRun } from './support/fixture.js';
import { openScripts } from './support/scripts.js';

const HOSTILE = new URL('support/hostile-script.sh', import.meta.url);
/** listxattr(2) by its number, as hostile-script.sh sets them: whether a path has any attribute. */
const HAS_ATTRIBUTES = `my $number = \`uname -m\` =~ /aarch64/ ? 11 : 194;
  my ($path, $names) = ($ARGV[0], "\\0" x 1000); print syscall($number, $path, $names, 1000) > 0 ? "yes" : "no"`;

it('a hostile script in bubblewrap gets at nothing, and nothing that it forged is published', async () => {
  const web = createServer((_, response) => response.end('of this machine'));
  web.listen(0, '0.0.0.0');
  await once(web, 'listening');
  onTestFinished(() => void web.close());
  const { port } = web.address() as AddressInfo;
  const scripts = await openScripts();
  await writeFile(join(scripts.root, 'settings.env'), 'SECRET_KEY=hunter2');
  const outside = [scripts.root, process.cwd(), '/var/lib', '/opt', '/sys', '/etc/hostname'].filter(existsSync);
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const own = addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
  const about = `OUTSIDE='${outside.join(' ')}' PANEL=${process.pid} ADDRESS=${own} PORT=${port}\n`;

  const lines = await scripts.run(about + (await readFile(HOSTILE, 'utf8')));
  const said = lines.join('\n');
  expect(lines.filter((line) => /^(FAILS|SUCCEEDED): /.test(line))).toEqual([]);
  expect(lines.filter((line) => line.startsWith('refused: ')).length, said).toBeGreaterThan(35);
  expect(lines.filter((line) => line.startsWith('works: ')).length, said).toBeGreaterThanOrEqual(6);
  expect(said).toMatch(/^capabilities: 0+$/m);
  expect(said).toMatch(/^files with secrets: $/m);
  const left = await Promise.all((await listProcesses()).map(({ pid }) => readCommandLine(pid)));
  expect(left.filter((line) => line.endsWith('sleep\x0098765\x00'))).toEqual([]);
  expect((await stat('/dev/null')).mode & 0o777).toBe(0o666);

  const host = await openHost({ root: scripts.root, serviceManager: 'process', assumeIsolation: 'namespaces' });
  const { run, said: published } = recordingRun();
  await host.publish({ overlay: 7, revision: 1, source: 'build' }, run);
  for (const name of ['absolute', 'outside', 'pipe']) {
    expect(published).toContainEqual(expect.stringContaining(`left out "${name}": `));
  }
  const revision = join(scripts.root, 'overlays/7/1');
  expect((await readdir(revision)).toSorted()).toEqual(['forged.txt', 'mine', 'opaque']);
  if (!lines.includes('works: forge attributes')) return; // a machine without perl
  const hasAttributes = (path: string) => execFileSync('perl', ['-e', HAS_ATTRIBUTES, path], { encoding: 'utf8' });
  const forged = ['forged.txt', 'opaque'];
  expect(forged.map((name) => hasAttributes(join(scripts.root, 'builds/7', name)))).toEqual(['yes', 'yes']);
  expect(forged.map((name) => hasAttributes(join(revision, name)))).toEqual(['no', 'no']);
});
