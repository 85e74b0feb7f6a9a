import { statfs } from 'node:fs/promises';
import { DiskFull } from '../errors.js';

/** How much is written between two looks at the disk. */
const STEP_BYTES = 32 * 1024 ** 2;

/** Keeps some of a disk free while something of unknown size is written to it. */
export class FreeSpace {
  private sinceLook = STEP_BYTES;

  /** @param folder any folder on that disk */
  constructor(
    private readonly folder: string,
    private readonly reserveBytes: number,
  ) {}

  /** Before that many bytes are written. Throws `DiskFull`. */
  async spend(bytes: number): Promise<void> {
    this.sinceLook += bytes;
    if (this.sinceLook < STEP_BYTES) return;
    this.sinceLook = 0;
    const { bavail, bsize } = await statfs(this.folder);
    const free = bavail * bsize;
    if (free - bytes < this.reserveBytes) throw new DiskFull(free, this.reserveBytes);
  }
}
