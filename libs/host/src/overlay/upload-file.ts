import { createWriteStream } from 'node:fs';
import { link, lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Interrupted } from '../errors.js';
import { hasCode } from './durable.js';
import { FreeSpace } from './free-space.js';
import { limitOf, temporaryPath } from './received-files.js';
import { removeTree } from './remove-tree.js';

/** The bytes of an upload that comes in pieces: a file beside the trees below a folder. */
export class UploadFile {
  private readonly unfinished: string;
  readonly path: string;

  constructor(
    private readonly folder: string,
    id: number,
  ) {
    this.unfinished = join(folder, '.tmp');
    this.path = join(this.unfinished, `upload-${id}`);
  }

  async create(): Promise<void> {
    await mkdir(this.unfinished, { recursive: true });
    await (await open(this.path, 'wx', 0o644)).close();
  }

  /** Bytes; null: it is lost. */
  async size(): Promise<number | null> {
    try {
      return (await lstat(this.path)).size;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    }
  }

  /**
   * Writes a body at the end. What has come stays when the body breaks off or the signal aborts, and nothing more is written after that.
   * Throws `TooLarge` over the limit, `DiskFull`, `Interrupted`, ENOENT.
   */
  async append(
    at: number,
    body: Readable,
    { limitBytes, reserveBytes }: { limitBytes: number; reserveBytes: number },
    signal: AbortSignal,
  ): Promise<void> {
    const file = createWriteStream(this.path, { flags: 'r+', start: at });
    const closed = new Promise<void>((resolve) => file.once('close', resolve));
    try {
      await pipeline(body, limitOf(limitBytes, new FreeSpace(this.unfinished, reserveBytes)), file, { signal });
    } catch (error) {
      throw signal.aborted ? new Interrupted('sending a piece') : error;
    } finally {
      await closed;
    }
  }

  /** Another name of the same file, to be moved into a tree; this one stays until that is known to have worked. */
  async secondName(): Promise<string> {
    const file = await open(this.path, 'r');
    try {
      await file.sync(); // the content is on the disk before the file gets its name
    } finally {
      await file.close();
    }
    const path = await temporaryPath(this.folder);
    await link(this.path, path);
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

/**
 * Removes what nobody has touched for long from beside the trees below a folder: left by a kill, or never finished.
 * @param needed names of what stays, however old
 */
export async function removeAbandoned(folder: string, olderThan: Date, needed: ReadonlySet<string>): Promise<void> {
  const unfinished = join(folder, '.tmp');
  const names = await readdir(unfinished).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  });
  for (const name of names) {
    if (needed.has(name)) continue;
    const stats = await lstat(join(unfinished, name)).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    });
    // Not the content's time: a folder that was replaced may not have changed for years.
    if (stats !== null && stats.ctime < olderThan) await removeTree(join(unfinished, name));
  }
}
