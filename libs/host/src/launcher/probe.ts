import { execFile } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CLEAN_ENV } from '../process/clean-environment.js';
import { PROGRAMS } from '../programs.js';
import { removeTree } from '../overlay/remove-tree.js';
import { launcherArguments } from './launch-plan.js';

const run = promisify(execFile);
const PROBE_LIMIT_MS = 20_000;
const PROBE_NAME = 'probe';

/**
 * Launches /bin/true exactly as a server would be. Null when that works; otherwise what the launcher said last, like
 * `unshare: unshare failed: Operation not permitted`.
 */
export async function probeNamespaces(root: string, uid: number): Promise<string | null> {
  await mkdir(join(root, 'cache'), { recursive: true });
  const folder = await mkdtemp(join(root, 'cache', 'probe-'));
  const instance = join(folder, 'instances', PROBE_NAME);
  try {
    for (const part of ['lower', 'lower2']) await mkdir(join(folder, part));
    for (const part of ['upper', 'work', 'merged']) await mkdir(join(instance, part), { recursive: true });
    const plan = launcherArguments({
      root: folder,
      name: PROBE_NAME,
      generation: 1,
      isolation: 'namespaces',
      uid,
      layers: 'lower:lower2',
      command: ['/bin/true'],
    });
    const probing = run('/bin/sh', [PROGRAMS.launchServer, ...plan], {
      env: CLEAN_ENV,
      timeout: PROBE_LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    probing.child.stdin?.end('go\n');
    await probing;
    return null;
  } catch (error) {
    return lastLine(error);
  } finally {
    await removeTree(folder);
  }
}

function lastLine(error: unknown): string {
  if (error instanceof Error && 'stderr' in error && typeof error.stderr === 'string') {
    const line = error.stderr.trim().split('\n').at(-1);
    if (line) return line;
  }
  return error instanceof Error ? error.message : String(error);
}
