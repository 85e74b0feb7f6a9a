import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmbeddedError, StateLocked } from './embedded-error.js';

/** flock's exit code for "somebody else holds it", chosen by us (-E). */
const HELD_BY_ANOTHER = 75;

export interface StateLock {
  release(): Promise<void>;
}

/**
 * Takes a state folder for this process, or throws {@link StateLocked}. Node cannot lock files, so a child holds the lock for as
 * long as its standard input is open: the kernel closes that with us even at kill -9, and nothing else we start inherits the lock.
 */
export async function lockState(root: string): Promise<StateLock> {
  await mkdir(root, { recursive: true, mode: 0o700 });
  const file = join(root, 'lock');
  const args = ['-n', '-E', String(HELD_BY_ANOTHER), file, 'sh', '-c', 'echo held; exec cat >/dev/null'];
  const child = spawn('flock', args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], cwd: '/' });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  // Writing to a child that is gone is no news: its end is.
  child.stdin.on('error', () => undefined);
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => (words += chunk.toString()));

  const outcome = await new Promise<'held' | number | null>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new EmbeddedError('flock (util-linux) is needed to lock the state folder; please install it.', { cause }));
    });
    child.stdout.once('data', () => resolve('held'));
    void ended.then(resolve);
  });
  if (outcome === HELD_BY_ANOTHER) throw new StateLocked(root, await readHolder(file));
  if (outcome !== 'held') throw new EmbeddedError(`${root} could not be locked: ${words.trim()}`);

  await writeFile(file, `${process.pid}\n`);
  return {
    release: async () => {
      child.stdin.end();
      await ended;
    },
  };
}

async function readHolder(file: string): Promise<number | null> {
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : null;
}
