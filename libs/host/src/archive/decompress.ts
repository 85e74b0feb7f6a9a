import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ArchiveRefused, NotSupported } from '../errors.js';
import { hasCode } from '../overlay/durable.js';
import { CLEAN_ENV } from '../process/clean-environment.js';
import { firstToGo } from '../process/first-to-go.js';

export type Compression = 'none' | 'gzip' | 'bzip2' | 'xz' | 'zstd';

/** Node has none of these; each is in a package of its name (xz: xz-utils). Bounded in memory, whatever the file asks for. */
const PROGRAMS: Readonly<Record<Exclude<Compression, 'none' | 'gzip'>, readonly [string, ...string[]]>> = {
  bzip2: ['bzip2', '--decompress', '--stdout'],
  xz: ['xz', '--decompress', '--stdout', '--memlimit-decompress=256MiB'],
  zstd: ['zstd', '--decompress', '--stdout', '--memory=256MiB'],
};
const MAX_SAID = 300;

/**
 * What a compressed file holds, as it is read. Throws `ArchiveRefused` where it is damaged, `NotSupported` when the program for it is
 * not installed. The signal ends the program.
 */
export function decompress(path: string, compression: Compression, signal: AbortSignal): AsyncIterable<Buffer> {
  if (compression === 'none') return createReadStream(path);
  if (compression === 'gzip') return gunzip(path);
  return outputOf(PROGRAMS[compression], path, signal);
}

async function* gunzip(path: string): AsyncGenerator<Buffer> {
  const stream = createGunzip();
  pipeline(createReadStream(path), stream, () => undefined); // its error is the stream's
  try {
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !String(error.code).startsWith('Z_')) throw error;
    throw new ArchiveRefused(`the archive is damaged: ${error.message}`, { cause: error });
  }
}

async function* outputOf(
  command: readonly [string, ...string[]],
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const child = await started(command);
  const kill = (): boolean => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const closed = once(child, 'close');
  pipeline(createReadStream(path), child.stdin, () => undefined); // a program that stops reading says why itself
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(0, MAX_SAID);
  });
  try {
    for await (const chunk of child.stdout) yield chunk;
    await closed;
    if (child.exitCode !== 0) throw new ArchiveRefused(`the archive is damaged: ${said.trim() || command[0]}`);
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
    await closed;
  }
}

async function started([program, ...args]: readonly [string, ...string[]]): Promise<ChildProcessWithoutNullStreams> {
  const child = spawn(program, args, { stdio: 'pipe', env: CLEAN_ENV });
  try {
    await once(child, 'spawn');
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    throw new NotSupported(
      `this kind of archive needs the program ${program}, which is not installed on the machine of the panel`,
    );
  }
  firstToGo(child.pid);
  return child;
}
