import { chmod, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, onTestFinished } from 'vitest';
import {
  openHost,
  type Host,
  type HostFacts,
  type HostOptions,
  type InstanceStatus,
  type Run,
  type Spec,
} from '../../src/index.js';
import { removeTree } from '../../src/overlay/remove-tree.js';

/** Prints its arguments, runs what an overlay brought, and waits for SIGTERM, which it knows what to do with as soon as it has printed. */
export const WAITING_SERVER = `#!/bin/sh
trap 'echo bye; exit 0' TERM
echo "up $*"
[ ! -f probe.sh ] || sh ./probe.sh
while :; do sleep 0.05 & wait $!; done
`;

export interface TestHost {
  root: string;
  host: Host;
  run: Run;
  /** What operations reported. */
  said: string[];
}

export interface TestHostOptions {
  isolation?: 'namespaces' | 'copy';
  /** The program that every server runs. */
  server?: string;
  settleMs?: number;
}

/** For servers that stay: what they print is waited for by itself. */
const SETTLE_MS = 50;
let isolationHere: HostFacts['isolation'] | undefined;

/** Opens a host that does not wait long whether a server stays. Whether servers can be isolated is tried by the first one of a file. */
export async function openQuickHost(options: HostOptions): Promise<Host> {
  const { assumeIsolation } = options;
  const host = await openHost({ settleMs: SETTLE_MS, ...options, assumeIsolation: assumeIsolation ?? isolationHere });
  if (assumeIsolation === undefined) isolationHere = host.facts.isolation;
  return host;
}

/** A host in a folder of its own, with a build that is a shell script. All servers end with the test. */
export async function openTestHost(options: TestHostOptions = {}): Promise<TestHost> {
  const root = await makeRoot();
  await installScript(root, options.server ?? WAITING_SERVER);
  const { isolation: assumeIsolation, settleMs = SETTLE_MS } = options;
  const host = await openQuickHost({ root, serviceManager: 'process', assumeIsolation, settleMs });
  const { run, said } = recordingRun();
  onTestFinished(async () => {
    for (const { name } of await host.status()) await host.stop(name, recordingRun().run);
    await removeTree(root);
  });
  return { root, host, run, said };
}

const roots: string[] = [];
afterAll(async () => {
  for (const root of roots) await removeTree(root);
});

/** A folder that is removed when the file's tests are over. */
export async function makeRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'left4me-test-'));
  roots.push(root);
  await chmod(root, 0o755);
  return root;
}

export async function installScript(root: string, script: string, build = 'test-1'): Promise<void> {
  const folder = join(root, 'installation', build);
  await writeTree(folder, { 'left4dead2/stock.txt': 'stock', srcds_run: script });
  await chmod(join(folder, 'srcds_run'), 0o755);
  await symlink(build, join(root, 'installation', 'current')).catch(() => undefined);
}

/** An overlay's revision, as publish would leave it. */
export async function makeRevision(root: string, revision: string, files: Record<string, string>): Promise<string> {
  await writeTree(join(root, 'overlays', revision), files);
  return revision;
}

export async function writeTree(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

let nextPort = (await firstOfAHundredPorts()) + 1;

/** Test files run side by side: each has a hundred ports of its own, because it holds the first of them until it ends. */
async function firstOfAHundredPorts(): Promise<number> {
  for (let port = 20_000; port < 32_000; port += 100) {
    const server = createServer();
    const held = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    server.unref();
    if (held) return port;
  }
  throw new Error('every port from 20,000 to 32,000 is in use');
}

export function makeSpec(change: Partial<Spec> = {}): Spec {
  return { port: nextPort++, overlays: [], arguments: [], files: [], hide: [], ...change };
}

export function recordingRun(signal = new AbortController().signal): { run: Run; said: string[] } {
  const said: string[] = [];
  const write = async (_stream: string, line: string): Promise<void> => void said.push(line);
  return { said, run: { signal, output: { write, progress: () => undefined } } };
}

export async function statusOf(host: Host, name: string): Promise<InstanceStatus> {
  const [status] = await host.status([name]);
  if (status === undefined) throw new Error(`no status of ${name}`);
  return status;
}

export async function logOf(host: Host, name: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { line } of host.logs(name, { lines: 10_000 })) lines.push(line);
  return lines;
}

/** Waits until the log has a line that begins so, and returns the log. */
export async function logWith(host: Host, name: string, beginning: string): Promise<string[]> {
  let seen: string[] = [];
  const found = eventually(async () => {
    const log = await logOf(host, name);
    if (log.some((line) => line.startsWith(beginning))) return log;
    seen = log;
    return null;
  });
  return found.catch((cause: unknown) => {
    throw new Error(`no line begins with "${beginning}" in:\n${seen.join('\n')}`, { cause });
  });
}

/** The first answer that is neither null nor false. The limit is for what never comes. */
export async function eventually<T>(ask: () => Promise<T | null | false>, limitMs = 30_000): Promise<T> {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    const answer = await ask();
    if (answer !== null && answer !== false) return answer;
    await sleep(20);
  }
  throw new Error(`not within ${limitMs} ms`);
}
