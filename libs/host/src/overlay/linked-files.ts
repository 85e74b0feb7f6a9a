import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Interrupted, PathRefused } from '../errors.js';
import type { LinkedFile, PublishResult, Run } from '../host.js';
import { fileMark, folderMark } from './contents.js';
import { hasCode } from './durable.js';
import { comparePaths, type ManifestWriter } from './manifest.js';
import { pathParts } from './relative-path.js';

/**
 * Makes `target` of files whose content is known, by giving them another name; the record is as if they had been copied from a tree.
 * Throws `PathRefused`, `Interrupted`.
 */
export async function linkFiles(
  files: readonly LinkedFile[],
  target: string,
  manifest: ManifestWriter,
  run: Run,
): Promise<Omit<PublishResult, 'unchanged'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  await mkdir(target);
  for (const { path, file } of entriesInOrder(files)) {
    if (run.signal.aborted) throw new Interrupted('publishing');
    if (file === null) {
      hash.update(folderMark(path));
      await mkdir(join(target, path));
    } else {
      await linkOrCopy(file.from, join(target, path));
      hash.update(fileMark(path, false, file.sha256));
      const { size } = await stat(file.from);
      await manifest.add({ path, type: 'file', size, executable: false, hash: file.sha256 });
      bytes += size;
    }
  }
  return { files: files.length, bytes, hash: hash.digest('hex') };
}

/** A folder (no file) or a file of a revision. */
interface Entry {
  path: string;
  file: LinkedFile | null;
}

/** The files and the folders they need, in the order in which a walk of the tree meets them. */
function entriesInOrder(files: readonly LinkedFile[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const file of files) {
    const parts = pathParts(file.path);
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join('/');
      if (entries.get(path)?.file) throw new PathRefused(path, 'is a file and a folder');
      entries.set(path, { path, file: null });
    }
    if (entries.has(file.path)) throw new PathRefused(file.path, 'there are two of it');
    entries.set(file.path, { path: file.path, file });
  }
  return [...entries.values()].sort((left, right) => comparePaths(left.path, right.path));
}

/** Where the filesystem cannot link, copies. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    // Another filesystem, too many links, or one that has no links
    if (!hasCode(error, 'EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP')) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  }
}
