import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, statfs } from 'node:fs/promises';
import { ScriptStopped } from '../errors.js';
import { hasCode } from '../overlay/durable.js';
import { MAX_PATH_BYTES, shortened } from '../overlay/relative-path.js';
import { type ScriptLimits, told } from './script-limits.js';

const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
const SLASH = Buffer.from('/');

/**
 * Counts what a script has written, while it may go on. Names are bytes here: one that is not UTF-8 must not hide a file. No path is
 * built, and no link is followed: each folder is opened from its parent.
 */
export class DiskUse {
  private bytes = 0;
  private entries = 0;

  private constructor(
    private readonly limits: ScriptLimits,
    private readonly signal: AbortSignal,
  ) {}

  /** Throws `ScriptStopped` when the folders hold more than they may. */
  static async check(folders: readonly string[], limits: ScriptLimits, signal: AbortSignal): Promise<void> {
    const use = new DiskUse(limits, signal);
    for (const folder of folders) await use.folder(Buffer.from(folder), Buffer.alloc(0));
  }

  /** Throws `ScriptStopped` when too little of the disk is free, whoever filled it: files that were removed while open, too. Cheap. */
  static async checkFree(folder: string, { reserveBytes, reserveInodes }: ScriptLimits): Promise<void> {
    const { bavail, bsize, files, ffree } = await statfs(folder);
    const free = bavail * bsize;
    if (free < reserveBytes) {
      const must = `${told(reserveBytes)} must stay so`;
      throw new ScriptStopped(`the disk is almost full: ${told(free)} are free, and ${must}`);
    }
    // btrfs makes inodes as they are needed, and says 0 of 0.
    if (files > 0 && ffree < reserveInodes) {
      throw new ScriptStopped(`the disk takes hardly any more files: ${ffree}, and ${reserveInodes} must stay so`);
    }
  }

  private async folder(place: Buffer, path: Buffer): Promise<void> {
    const handle = await open(place, OPEN_FOLDER).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null; // removed or replaced since its parent was listed
      throw uncountable(error, path);
    });
    if (handle === null) return;
    try {
      const here = Buffer.from(`/proc/self/fd/${handle.fd}/`);
      const listed = readdir(Buffer.concat([here, Buffer.from('.')]), { encoding: 'buffer' });
      const names = await listed.catch((error: unknown) => {
        throw uncountable(error, path);
      });
      for (const name of names) {
        if (this.signal.aborted) return;
        const child = path.length === 0 ? name : Buffer.concat([path, SLASH, name]);
        await this.entry(Buffer.concat([here, name]), child);
      }
    } finally {
      await handle.close();
    }
  }

  private async entry(place: Buffer, path: Buffer): Promise<void> {
    const { entries, diskBytes } = this.limits;
    const stats = await lstatIfAny(place);
    if (stats === null) return;
    if (++this.entries > entries) throw new ScriptStopped(`it has made more than ${entries} files and folders`);
    // A file with holes counts as what a copy of it takes.
    this.bytes += stats.isDirectory() ? stats.blocks * 512 : Math.max(stats.size, stats.blocks * 512);
    if (this.bytes > diskBytes) throw new ScriptStopped(`it has written more than ${told(diskBytes)}`);
    if (path.length > MAX_PATH_BYTES) {
      throw new ScriptStopped(`the path ${JSON.stringify(shortened(path))} is longer than ${MAX_PATH_BYTES} bytes`);
    }
    if (stats.isDirectory()) await this.folder(place, path);
  }
}

/** Of a folder without `r` it is opening that fails, of one without `x` listing. */
function uncountable(error: unknown, path: Buffer): unknown {
  if (!hasCode(error, 'EACCES')) return error;
  const folder = path.length === 0 ? 'one of its own folders' : `its folder ${JSON.stringify(shortened(path))}`;
  return new ScriptStopped(`${folder} must be readable, to count what is in it (chmod u+rwx)`);
}

async function lstatIfAny(path: Buffer): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    // EACCES: its folder may not be entered any more.
    if (hasCode(error, 'ENOENT', 'EACCES')) return null;
    throw error;
  }
}
