import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ArchiveRefused, Interrupted, TimedOut } from '../errors.js';
import { hasCode } from '../overlay/durable.js';
import { FreeSpace } from '../overlay/free-space.js';
import { pathProblem } from '../overlay/relative-path.js';
import type { ArchiveEntry } from './archive-entry.js';
import { archiveEntries } from './archive-kind.js';
import { refuseTooMuch } from './bounded.js';
import { timeLimit } from '../process/time-limit.js';

export interface ArchiveLimits {
  /** Of all files together, unpacked. */
  totalBytes: number;
  fileBytes: number;
  /** Files and folders, also those that are only implied by paths. */
  entries: number;
  /** Unpacked bytes for each byte of the archive, once more than `ratioFromBytes` were unpacked. */
  ratio: number;
  ratioFromBytes: number;
  timeMs: number;
  /** Of the disk, to be left free. */
  reserveBytes: number;
}

/** More than any pack that players know, less than what fills a machine. */
export const ARCHIVE_LIMITS: ArchiveLimits = {
  totalBytes: 16 * 1024 ** 3,
  fileBytes: 2 * 1024 ** 3,
  entries: 100_000,
  ratio: 250,
  ratioFromBytes: 256 * 1024 ** 2,
  timeMs: 30 * 60_000,
  reserveBytes: 512 * 1024 ** 2,
};

export interface Unpacked {
  files: number;
  /** Unpacked, also those of files that a later one replaced. */
  bytes: number;
  /** Links, devices and the like: not unpacked. */
  leftOut: { count: number; first: string[] };
}

const NAMED = 10;

/**
 * Unpacks an archive into a new folder that nobody else knows. Contents and execute bits are taken; a later file replaces an earlier one
 * of the same path. Throws `ArchiveRefused`, `DiskFull`, `TimedOut`, `Interrupted`, `NotSupported`; the folder is the caller's to remove.
 * @param folder must exist and be empty
 * @param where `target`: where it goes from there; the paths must be usable below it. `progress`: told of each file how many there are
 */
export async function unpack(
  archive: string,
  folder: string,
  limits: ArchiveLimits,
  signal: AbortSignal,
  where: { target?: string; progress?: (files: number) => void } = {},
): Promise<Unpacked> {
  const { size } = await stat(archive);
  const timeUp = timeLimit(limits.timeMs);
  const either = AbortSignal.any([signal, timeUp]);
  const unpacking = new Unpacking(folder, size, limits, either, where.target ?? '');
  try {
    for await (const entry of await archiveEntries(archive, size, limits, either)) {
      either.throwIfAborted();
      await unpacking.take(entry);
      where.progress?.(unpacking.result.files);
    }
    either.throwIfAborted();
  } catch (error) {
    if (signal.aborted) throw new Interrupted('unpacking');
    if (timeUp.aborted) throw new TimedOut('unpacking', limits.timeMs);
    throw error;
  }
  return unpacking.result;
}

class Unpacking {
  readonly result: Unpacked = { files: 0, bytes: 0, leftOut: { count: 0, first: [] } };
  private entries = 0;
  private readonly folders = new Set<string>(['']);
  private readonly files = new Set<string>();
  private readonly space: FreeSpace;

  constructor(
    private readonly root: string,
    private readonly archiveBytes: number,
    private readonly limits: ArchiveLimits,
    private readonly signal: AbortSignal,
    private readonly target: string,
  ) {
    this.space = new FreeSpace(root, limits.reserveBytes);
  }

  async take(entry: ArchiveEntry): Promise<void> {
    const path = safePath(entry.name);
    if (entry.type === 'link' || entry.type === 'special') return this.leaveOut(path);
    if (path === '') return;
    this.refuseBelowTarget(path);
    const parts = path.split('/');
    if (entry.type === 'folder') return this.makeFolder(parts);
    await this.makeFolder(parts.slice(0, -1));
    await this.write(entry, path);
  }

  private refuseBelowTarget(path: string): void {
    if (this.target === '') return;
    const problem = pathProblem(`${this.target}/${path}`);
    if (problem !== null) throw new ArchiveRefused(`${named(path)} in the archive, where it is to go: ${problem}`);
  }

  private leaveOut(path: string): void {
    const { leftOut } = this.result;
    leftOut.count++;
    this.count(path);
    if (leftOut.first.length < NAMED) leftOut.first.push(path);
  }

  /** The tree is ours alone and holds no links: plain paths lead nowhere else. */
  private async makeFolder(parts: readonly string[]): Promise<void> {
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = parts.slice(0, depth).join('/');
      if (this.folders.has(path)) continue;
      this.count(path);
      try {
        await mkdir(join(this.root, path));
      } catch (error) {
        throw hasCode(error, 'EEXIST') ? twofold(path) : error;
      }
      this.folders.add(path);
    }
  }

  private async write(entry: ArchiveEntry, path: string): Promise<void> {
    this.count(path);
    if (this.folders.has(path)) throw twofold(path);
    const file = await open(join(this.root, path), 'w', entry.executable ? 0o755 : 0o644);
    let bytes = 0;
    try {
      for await (const chunk of entry.content()) {
        this.signal.throwIfAborted();
        bytes += chunk.length;
        this.result.bytes += chunk.length;
        this.refuseTooMuch(path, bytes);
        await this.space.spend(chunk.length);
        await file.writeFile(chunk);
      }
    } finally {
      await file.close();
    }
    this.files.add(path);
    this.result.files = this.files.size;
  }

  private count(path: string): void {
    this.entries++;
    if (this.entries <= this.limits.entries) return;
    throw new ArchiveRefused(`the archive holds more than ${this.limits.entries} files and folders, at ${named(path)}`);
  }

  private refuseTooMuch(path: string, fileBytes: number): void {
    const { limits, result, archiveBytes } = this;
    if (fileBytes > limits.fileBytes) {
      throw new ArchiveRefused(`${named(path)} in the archive is larger than ${limits.fileBytes} bytes`);
    }
    refuseTooMuch(result.bytes, archiveBytes, limits);
  }
}

/** Relative and '/'-separated; '' for the archive's own root. Throws `ArchiveRefused`. */
function safePath(name: Buffer): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name);
  } catch (error) {
    throw new ArchiveRefused(
      `a name in the archive is not UTF-8: ${named(name.toString('utf8'))}. Pack it anew with a program that writes UTF-8`,
      { cause: error },
    );
  }
  const path = text.replace(/^(\.\/+)+/, '').replace(/\/+$/, '');
  if (path === '.' || (path === '' && text !== '' && !text.startsWith('/'))) return '';
  const problem = pathProblem(text.startsWith('/') ? text : path);
  if (problem !== null) throw new ArchiveRefused(`${named(text)} in the archive: ${problem}`);
  return path;
}

function twofold(path: string): ArchiveRefused {
  return new ArchiveRefused(`${named(path)} is both a file and a folder in the archive`);
}

/** Names are of any length and may hold anything. */
function named(path: string): string {
  return JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}…` : path);
}
