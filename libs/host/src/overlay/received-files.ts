import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { TooLarge } from '../errors.js';
import { CLEAN_ENV } from '../process/clean-environment.js';
import { FreeSpace } from './free-space.js';

const UNFINISHED = '.tmp';
const SYNC_LIMIT_MS = 10 * 60_000;

/** A new path on the disk of the trees below a folder, but in none of them. */
export async function temporaryPath(folder: string): Promise<string> {
  await mkdir(join(folder, UNFINISHED), { recursive: true });
  return besideTrees(folder, randomBytes(8).toString('hex'));
}

/** The path of what has this name beside the trees below a folder. */
export function besideTrees(folder: string, name: string): string {
  return join(folder, UNFINISHED, basename(name));
}

/** Takes a body to a new file beside the trees below a folder; its path. Over the limit: `TooLarge`, `DiskFull`, and nothing is left. */
export async function receive(
  folder: string,
  body: Readable,
  limitBytes: number,
  reserveBytes: number,
): Promise<string> {
  const path = await temporaryPath(folder);
  try {
    // flush: the content is on the disk before the file gets its name.
    const file = createWriteStream(path, { flags: 'wx', mode: 0o644, flush: true });
    await pipeline(body, limitOf(limitBytes, new FreeSpace(join(folder, UNFINISHED), reserveBytes)), file);
    return path;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Passes a body on, as long as it and the disk allow. */
export function limitOf(limitBytes: number, space: FreeSpace): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) return done(new TooLarge(limitBytes));
      space.spend(chunk.length).then(
        () => done(null, chunk),
        (error: Error) => done(error),
      );
    },
  });
}

/** Everything that was written to a path's disk: one call for thousands of files. Node has no syncfs. */
export async function syncDisk(path: string, signal: AbortSignal): Promise<void> {
  await promisify(execFile)('sync', ['--file-system', path], { env: CLEAN_ENV, timeout: SYNC_LIMIT_MS, signal });
}
