import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { copyFile, lstat, mkdir, open, readFile, readdir, readlink, rename, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Interrupted, NotFound, PathRefused } from '../errors.js';
import type { PublishRequest, PublishResult, Run } from '../host.js';
import { numericId } from '../instances/names.js';
import type { CommandRunner } from '../process/command-runner.js';
import { DirHandle } from './dir-handle.js';
import { hasCode, makeFolderDurably, syncFolder, temporaryName, writeFileDurably } from './durable.js';
import { linkProblem } from './link-target.js';
import { fileMark, folderMark, textHash } from './contents.js';
import { linkFiles } from './linked-files.js';
import { manifestPath, ManifestWriter } from './manifest.js';
import { requireFiles, requirePublishable, requireSpace, textOf } from './publishable.js';
import { removeTree, removeUnfinished } from './remove-tree.js';
import { writeWhole } from './write-whole.js';

const CHUNK_BYTES = 256 * 1024;
const SYNC_LIMIT_MS = 10 * 60_000;
/** Files, folders and links of one revision. */
const MAX_ENTRIES = 500_000;

type RevisionRecord = Omit<PublishResult, 'unchanged'>;

/** Makes immutable revisions, overlays/<overlay>/<revision>/, of what drafts/<overlay>/ or builds/<overlay>/ holds. */
export class Publisher {
  constructor(
    private readonly sources: Readonly<Record<'draft' | 'build', string>>,
    private readonly overlaysFolder: string,
    private readonly commands: CommandRunner,
  ) {}

  /**
   * Copies regular files (content and the owner's execute bit; no other mode, owner or attribute), folders, and links
   * that stay inside. Names what it leaves out. Throws `NotFound` without a source, `Interrupted`, `PathRefused` for what
   * cannot be published, `HostError` (disk-full); nothing is left then.
   */
  async publish(request: PublishRequest, output: Run): Promise<PublishResult> {
    const overlay = numericId('overlay', request.overlay);
    const path = this.revisionPath(request.overlay, request.revision);
    await makeFolderDurably(join(this.overlaysFolder, overlay));
    await removeUnfinished(join(this.overlaysFolder, overlay));
    if (await exists(path))
      throw new PathRefused(`${overlay}/${request.revision}`, 'this revision was published already');
    const temporary = temporaryName(path);
    try {
      const record = await this.copy(request, temporary, overlay, output);
      const previous = request.previous === undefined ? null : await this.record(request.overlay, request.previous);
      if (previous?.hash === record.hash) {
        await this.removeCopy(temporary);
        return { unchanged: true, ...record };
      }
      // One syncfs instead of an fsync per file: overlays have thousands of small ones. Node has no syncfs.
      await this.commands.run({ command: ['sync', '--file-system', temporary], timeLimitMs: SYNC_LIMIT_MS }, output);
      await writeFileDurably(`${path}.json`, JSON.stringify(record));
      await rename(manifestPath(temporary), manifestPath(path));
      // fault point: revision not yet named
      await rename(temporary, path);
      await syncFolder(join(this.overlaysFolder, overlay));
      return { unchanged: false, ...record };
    } catch (error) {
      await this.removeCopy(temporary);
      throw error;
    }
  }

  async remove(overlay: number, revision: number): Promise<void> {
    const path = this.revisionPath(overlay, revision);
    const temporary = temporaryName(path);
    try {
      await rename(path, temporary);
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
    await removeTree(temporary);
    await removeTree(`${path}.json`);
    await removeTree(manifestPath(path));
  }

  /** The revisions of which something is on the disk: whole ones, and what is beside one that a killed removal left. */
  async revisions(overlay: number): Promise<number[]> {
    try {
      const names = await readdir(join(this.overlaysFolder, numericId('overlay', overlay)));
      const numbers = names.flatMap((name) => /^([1-9][0-9]{0,9})(\.json|\.manifest)?$/.exec(name)?.[1] ?? []);
      return [...new Set(numbers)].map(Number);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }
  }

  private async copy(request: PublishRequest, target: string, overlay: string, run: Run): Promise<RevisionRecord> {
    const manifest = await ManifestWriter.create(manifestPath(target));
    try {
      if (request.linked) return await linkFiles(request.linked, target, manifest, run);
      const source = join(this.sources[request.source ?? 'draft'], overlay);
      const record = await new DraftCopy(target, manifest, run).take(source, overlay);
      if (request.source === 'build') requireFiles(record.files);
      return record;
    } finally {
      await manifest.close();
    }
  }

  private async removeCopy(temporary: string): Promise<void> {
    await removeTree(temporary);
    await removeTree(manifestPath(temporary));
  }

  private revisionPath(overlay: number, revision: number): string {
    return join(this.overlaysFolder, numericId('overlay', overlay), numericId('revision', revision));
  }

  /** Null when it was not published, or its record was lost: then it counts as different. */
  private async record(overlay: number, revision: number): Promise<RevisionRecord | null> {
    const path = this.revisionPath(overlay, revision);
    if (!(await exists(path))) return null;
    try {
      const value: unknown = JSON.parse(await readFile(`${path}.json`, 'utf8'));
      if (typeof value !== 'object' || value === null || !('hash' in value) || typeof value.hash !== 'string')
        return null;
      return { hash: value.hash, files: 0, bytes: 0 };
    } catch (error) {
      if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return null;
      throw error;
    }
  }
}

/** One copy of a draft; the hash is over what was copied, whatever happens to the draft meanwhile. */
class DraftCopy {
  private readonly hash = createHash('sha256');
  private entries = 0;
  private files = 0;
  private bytes = 0;
  private canReflink = true;

  constructor(
    private readonly target: string,
    private readonly manifest: ManifestWriter,
    private readonly run: Run,
  ) {}

  async take(draft: string, overlay: string): Promise<RevisionRecord> {
    const root = await DirHandle.open(draft).catch((error: unknown) => {
      throw hasCode(error, 'ENOENT') ? new NotFound(`the draft of overlay ${overlay}`) : error;
    });
    await mkdir(this.target);
    await this.folder(root, []);
    return { files: this.files, bytes: this.bytes, hash: this.hash.digest('hex') };
  }

  /** Closes `folder`. Names in order of their bytes: the same content gives the same hash. */
  private async folder(folder: DirHandle, parts: readonly string[]): Promise<void> {
    try {
      const listed = await readdir(folder.path, { encoding: 'buffer' }).catch((error: unknown) => {
        // It could be opened: it has `r`, and no `x`.
        throw hasCode(error, 'EACCES')
          ? new PathRefused(parts.join('/'), 'its mode forbids entering it (chmod u+rwx)')
          : error;
      });
      const names = listed.map((name) => textOf(name, parts)).sort();
      for (const name of names) {
        if (this.run.signal.aborted) throw new Interrupted('publishing');
        await this.entry(folder, [...parts, name], name);
      }
    } finally {
      await folder.close();
    }
  }

  private async entry(folder: DirHandle, parts: readonly string[], name: string): Promise<void> {
    const path = parts.join('/');
    requirePublishable(path);
    const target = join(this.target, ...parts);
    const stats = await lstatIfAny(folder.at(name));
    if (stats === null) return; // removed since the folder was listed
    if (++this.entries > MAX_ENTRIES) throw new PathRefused(path, `there are more than ${MAX_ENTRIES} files`);
    if (stats.isDirectory()) {
      this.hash.update(folderMark(path));
      await mkdir(target);
      await this.folder(await folder.child(name), parts);
    } else if (stats.isSymbolicLink()) {
      const to = await readlink(folder.at(name)).catch((error: unknown) => {
        if (hasCode(error, 'EINVAL') || hasCode(error, 'ENOENT')) return null;
        throw error;
      });
      if (to === null) return this.leaveOut(path, 'it is not a link any more');
      const problem = linkProblem(parts.slice(0, -1), to);
      if (problem !== null) return this.leaveOut(path, problem);
      this.hash.update(`l\0${path}\0${to}\0`);
      await symlink(to, target);
      const size = Buffer.byteLength(to);
      await this.manifest.add({ path, type: 'link', size, executable: false, hash: textHash(to) });
    } else if (stats.isFile()) {
      await this.file(folder.at(name), target, path);
    } else {
      await this.leaveOut(path, 'it is neither a file, a folder nor a link');
    }
  }

  private async file(source: string, target: string, path: string): Promise<void> {
    const from = await open(source, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
      (error: unknown) => {
        throw hasCode(error, 'EACCES') ? new PathRefused(path, 'its mode forbids reading it (chmod u+r)') : error;
      },
    );
    try {
      const stats = await from.stat();
      if (!stats.isFile()) return await this.leaveOut(path, 'it is not a file any more');
      await requireSpace(this.target, stats.size);
      const executable = (stats.mode & constants.S_IXUSR) !== 0;
      const contents = createHash('sha256');
      let size = 0;
      const copied = await this.reflink(`/proc/self/fd/${from.fd}`, target);
      const reader = copied ? await open(target, 'r') : from;
      const writer = copied ? null : await open(target, 'wx', executable ? 0o755 : 0o644);
      try {
        const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
        for (;;) {
          const { bytesRead } = await reader.read(buffer, 0, buffer.length, size);
          if (bytesRead === 0) break;
          const piece = buffer.subarray(0, bytesRead);
          contents.update(piece);
          if (writer !== null) await writeWhole(writer, piece, size);
          size += bytesRead;
          this.bytes += bytesRead;
          if (this.run.signal.aborted) throw new Interrupted('publishing');
        }
        if (copied) await chmodTo(target, executable);
      } finally {
        await writer?.close();
        if (copied) await reader.close();
      }
      this.files++;
      const hash = contents.digest('hex');
      this.hash.update(fileMark(path, executable, hash));
      await this.manifest.add({ path, type: 'file', size, executable, hash });
      this.run.output.progress(null, `${this.files} files`);
    } finally {
      await from.close();
    }
  }

  /** Shares the blocks where the filesystem can (btrfs, XFS); tried once. */
  private async reflink(source: string, target: string): Promise<boolean> {
    if (!this.canReflink) return false;
    try {
      await copyFile(source, target, constants.COPYFILE_FICLONE_FORCE);
      return true;
    } catch {
      this.canReflink = false;
      await removeTree(target);
      return false;
    }
  }

  private async leaveOut(path: string, reason: string): Promise<void> {
    await this.run.output.write('stderr', `left out ${JSON.stringify(path)}: ${reason}`);
  }
}

async function chmodTo(path: string, executable: boolean): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.chmod(executable ? 0o755 : 0o644);
  } finally {
    await handle.close();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function lstatIfAny(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}
