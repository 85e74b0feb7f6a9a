import { constants } from 'node:fs';
import { chmod, mkdir, open, type FileHandle } from 'node:fs/promises';
import { PathRefused } from '../errors.js';
import { hasCode } from './durable.js';

/** open(2)'s O_PATH, which Node does not name: refers to a folder whatever its permissions are. */
const O_PATH = 0o10000000;
const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * An open folder. Names are resolved relative to it through /proc/self/fd, one component at a time and never through a
 * link, so nothing that others rename or replace meanwhile can lead outside. (Node has no openat.)
 */
export class DirHandle {
  private constructor(private readonly handle: FileHandle) {}

  /** The path is trusted: it is the library's own. Throws ENOENT. */
  static async open(path: string): Promise<DirHandle> {
    return new DirHandle(await open(path, OPEN_FOLDER));
  }

  /** A folder that is to be emptied or moved, or that a server may have closed: first given the permissions that takes. Throws ENOENT, ENOTDIR (a link, too). */
  static async openToEmpty(path: string | Buffer): Promise<DirHandle> {
    const found = await open(path, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const { mode } = await found.stat();
      if ((mode & 0o700) !== 0o700) await chmod(`/proc/self/fd/${found.fd}`, 0o700);
      return new DirHandle(await open(`/proc/self/fd/${found.fd}/.`, OPEN_FOLDER));
    } finally {
      await found.close();
    }
  }

  /** Lets its owner, whom a server may have shut out, rename what is in it and the folder itself. */
  async openToOwner(): Promise<void> {
    const { mode } = await this.handle.stat();
    if ((mode & 0o700) !== 0o700) await this.handle.chmod((mode & 0o777) | 0o700);
  }

  /** To be handed to a program, which finds the folder as its own descriptor. */
  get descriptor(): number {
    return this.handle.fd;
  }

  /** A path for `name` in this folder, valid while the handle is open. The name must be one component. */
  at(name: string): string {
    return `/proc/self/fd/${this.handle.fd}/${name}`;
  }

  /** As `at`, for a name that need not be UTF-8. */
  atBytes(name: Buffer): Buffer {
    return Buffer.concat([Buffer.from(this.at('')), name]);
  }

  /** The folder itself, to be listed. */
  get path(): string {
    return `/proc/self/fd/${this.handle.fd}/.`;
  }

  /** Throws `PathRefused` when it is a link or not a folder, ENOENT when it is missing. */
  async child(name: string): Promise<DirHandle> {
    try {
      return new DirHandle(await open(this.at(name), OPEN_FOLDER));
    } catch (error) {
      if (hasCode(error, 'ELOOP', 'ENOTDIR')) throw new PathRefused(name, 'is a link or a file, not a folder');
      if (hasCode(error, 'EACCES')) throw new PathRefused(name, 'is a folder that may not be opened');
      throw error;
    }
  }

  async makeChild(name: string): Promise<DirHandle> {
    try {
      await mkdir(this.at(name));
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    }
    return this.child(name);
  }

  /** The folder reached by these parts; the caller closes it. */
  async descend(parts: readonly string[], make = false): Promise<DirHandle> {
    let here = await this.child('.');
    for (const part of parts) {
      const parent = here;
      try {
        here = make ? await parent.makeChild(part) : await parent.child(part);
      } finally {
        await parent.close();
      }
    }
    return here;
  }

  async sync(): Promise<void> {
    await this.handle.sync();
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
