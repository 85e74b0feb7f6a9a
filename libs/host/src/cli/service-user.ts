import { spawn, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { HostError } from '../errors.js';
import { exitCodeOf } from '../process/exit-code.js';

/** The same numbers as the panel gives itself when root starts it. */
const MAPPING = ['--user', '--map-user=1000', '--map-group=1000'];

/**
 * Started by root, the program first becomes the service user: the owner of LEFT4ME_ROOT. Where that is root too, it
 * runs itself again in a user namespace in which it is an ordinary user, and this returns that one's exit code; null
 * means: go on in this process. Throws `HostError` when there is no LEFT4ME_ROOT.
 */
export async function becomeServiceUser(root: string): Promise<number | null> {
  const owner = statSync(root, { throwIfNoEntry: false });
  if (owner === undefined) throw new HostError('bad-root', `LEFT4ME_ROOT=${root} does not exist`);
  if (process.geteuid?.() !== 0) return null;
  if (owner.uid !== 0) {
    dropTo(owner.uid, owner.gid);
    return null;
  }
  if (spawnSync('unshare', [...MAPPING, 'true'], { stdio: 'ignore' }).status !== 0) return null;
  return runAgain();
}

function dropTo(uid: number, gid: number): void {
  // An owner without an entry in passwd has no further groups.
  const groups = spawnSync('id', ['-G', '--', String(uid)], { encoding: 'utf8' }).stdout.trim();
  process.setgroups?.(groups === '' ? [gid] : groups.split(/\s+/).map(Number));
  process.setgid?.(gid);
  process.setuid?.(uid);
}

function runAgain(): Promise<number> {
  const child = spawn('unshare', [...MAPPING, process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
    stdio: 'inherit',
  });
  // Ctrl-C reaches both; this one waits for the other's answer to it.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)));
  });
}
