import { randomBytes } from 'node:crypto';
import { constants, createWriteStream, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvalidName, NotFound, NotSupported, PathRefused, TooLarge } from '../errors.js';
import { DirHandle } from './dir-handle.js';
import { hasCode } from './durable.js';
import type { FileTree, TreeEntry, TreeSummary } from './file-tree.js';
import { pathParts } from './relative-path.js';
import { removeTree } from './remove-tree.js';

const TREE = /^[1-9][0-9]{0,9}(\/[1-9][0-9]{0,9})?$/;
const UNFINISHED = '.tmp';

/**
 * Opens the trees below one folder: drafts (`<root>/drafts`, trees `<overlay>`) or, read-only, the published revisions
 * (`<root>/overlays`, trees `<overlay>/<revision>`).
 */
export function openTrees(folder: string, options: { readOnly?: boolean } = {}): FileTree {
  return new FolderTrees(folder, options.readOnly ?? false);
}

class FolderTrees implements FileTree {
  constructor(
    private readonly folder: string,
    private readonly readOnly: boolean,
  ) {}

  async list(tree: string, path: string): Promise<TreeEntry[]> {
    const parts = pathParts(path);
    const folder = await this.openFolder(tree, parts, path);
    if (folder === null) {
      if (parts.length > 0) throw new NotFound(path);
      return [];
    }
    try {
      const entries: TreeEntry[] = [];
      for (const name of await readdir(folder.path)) {
        const stats = await lstatIfAny(folder.at(name));
        const entry = stats === null ? null : entryOf(name, [...parts, name].join('/'), stats);
        if (entry !== null) entries.push(entry);
      }
      return entries.sort(foldersFirst);
    } finally {
      await folder.close();
    }
  }

  async open(tree: string, path: string): Promise<{ stream: Readable; size: number; modifiedAt: string }> {
    const { parents, name } = split(path);
    const folder = await this.openFolder(tree, parents, path);
    if (folder === null) throw new NotFound(path);
    try {
      // O_NONBLOCK: opening a FIFO must not wait for a writer.
      const file = await open(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const stats = await file.stat();
      if (!stats.isFile()) {
        await file.close();
        throw new PathRefused(path, 'is not a file');
      }
      return { stream: file.createReadStream(), size: stats.size, modifiedAt: stats.mtime.toISOString() };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) throw new NotFound(path);
      if (hasCode(error, 'ELOOP')) throw new PathRefused(path, 'is a link');
      throw error;
    } finally {
      await folder.close();
    }
  }

  async write(tree: string, path: string, body: Readable, limitBytes: number): Promise<TreeEntry> {
    this.refuseReadOnly();
    const { parents, name } = split(path);
    await this.refuseTarget(tree, parents, name, path); // before a body of any size is taken
    const temporary = await this.temporary();
    try {
      await takeBody(body, temporary, limitBytes);
      const folder = await this.makeFolder(tree, parents);
      try {
        await refuseLinkOrFolder(folder, name, path);
        await rename(temporary, folder.at(name));
        await folder.sync();
        const entry = entryOf(name, path, await lstat(folder.at(name)));
        if (entry === null) throw new NotFound(path);
        return entry;
      } finally {
        await folder.close();
      }
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  async remove(tree: string, path: string): Promise<void> {
    this.refuseReadOnly();
    const { parents, name } = split(path);
    const folder = await this.openFolder(tree, parents, path);
    if (folder === null) throw new NotFound(path);
    try {
      const stats = await lstatIfAny(folder.at(name));
      if (stats === null) throw new NotFound(path);
      if (!stats.isDirectory()) return await unlink(folder.at(name));
      const temporary = await this.temporary();
      await rename(folder.at(name), temporary); // out of everybody's reach first
      await removeTree(temporary);
    } finally {
      await folder.close();
    }
  }

  async summary(tree: string): Promise<TreeSummary> {
    const summary: TreeSummary = { files: 0, bytes: 0, modifiedAt: null };
    const root = await this.openFolder(tree, [], '');
    if (root === null) return summary;
    let latest = (await stat(root.path)).mtimeMs;
    const visit = async (folder: DirHandle): Promise<void> => {
      try {
        for (const name of await readdir(folder.path)) {
          const stats = await lstatIfAny(folder.at(name));
          if (stats === null) continue;
          latest = Math.max(latest, stats.mtimeMs);
          if (stats.isFile()) {
            summary.files++;
            summary.bytes += stats.size;
          } else if (stats.isDirectory()) {
            await visit(await folder.child(name));
          }
        }
      } finally {
        await folder.close();
      }
    };
    await visit(root);
    return { ...summary, modifiedAt: new Date(latest).toISOString() };
  }

  async destroy(tree: string): Promise<void> {
    this.refuseReadOnly();
    const temporary = await this.temporary();
    try {
      await rename(join(this.folder, treeName(tree)), temporary);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      throw error;
    }
    await removeTree(temporary);
  }

  /** Null when it, or the tree, is missing. */
  private async openFolder(tree: string, parts: readonly string[], path: string): Promise<DirHandle | null> {
    let base: DirHandle;
    try {
      base = await DirHandle.open(this.folder);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    }
    try {
      return await base.descend([...treeName(tree).split('/'), ...parts]);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      if (error instanceof PathRefused) throw new PathRefused(path, error.problem);
      throw error;
    } finally {
      await base.close();
    }
  }

  private async makeFolder(tree: string, parts: readonly string[]): Promise<DirHandle> {
    const base = await DirHandle.open(this.folder);
    try {
      return await base.descend([...treeName(tree).split('/'), ...parts], true);
    } finally {
      await base.close();
    }
  }

  /** What is already there of the way must be folders, and the target not a link or a folder. */
  private async refuseTarget(tree: string, parents: readonly string[], name: string, path: string): Promise<void> {
    for (let depth = parents.length; depth >= 0; depth--) {
      const folder = await this.openFolder(tree, parents.slice(0, depth), path);
      if (folder === null) continue;
      try {
        if (depth === parents.length) await refuseLinkOrFolder(folder, name, path);
      } finally {
        await folder.close();
      }
      return;
    }
  }

  /** Same filesystem, but in no tree. */
  private async temporary(): Promise<string> {
    const folder = join(this.folder, UNFINISHED);
    await mkdir(folder, { recursive: true });
    return join(folder, randomBytes(8).toString('hex'));
  }

  private refuseReadOnly(): void {
    if (this.readOnly) throw new NotSupported('published revisions never change');
  }
}

function treeName(tree: string): string {
  if (!TREE.test(tree)) throw new InvalidName('file tree', tree, '<overlay> or <overlay>/<revision>');
  return tree;
}

function split(path: string): { parents: string[]; name: string } {
  const parts = pathParts(path);
  const name = parts.pop();
  if (name === undefined) throw new PathRefused(path, 'the path is empty');
  return { parents: parts, name };
}

async function refuseLinkOrFolder(folder: DirHandle, name: string, path: string): Promise<void> {
  const stats = await lstatIfAny(folder.at(name));
  if (stats?.isDirectory()) throw new PathRefused(path, 'is a folder');
  if (stats !== null && !stats.isFile()) throw new PathRefused(path, 'is a link');
}

async function takeBody(body: Readable, path: string, limitBytes: number): Promise<void> {
  let bytes = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > limitBytes) done(new TooLarge(limitBytes));
      else done(null, chunk);
    },
  });
  // flush: the content is on the disk before the file gets its name.
  await pipeline(body, limit, createWriteStream(path, { flags: 'wx', mode: 0o644, flush: true }));
}

async function lstatIfAny(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function entryOf(name: string, path: string, stats: Stats): TreeEntry | null {
  const modifiedAt = stats.mtime.toISOString();
  if (stats.isDirectory()) return { name, path, type: 'directory', size: 0, modifiedAt };
  if (stats.isFile()) return { name, path, type: 'file', size: stats.size, modifiedAt };
  if (stats.isSymbolicLink()) return { name, path, type: 'link', size: stats.size, modifiedAt };
  return null;
}

function foldersFirst(a: TreeEntry, b: TreeEntry): number {
  const byType = Number(b.type === 'directory') - Number(a.type === 'directory');
  return byType !== 0 ? byType : a.name < b.name ? -1 : 1;
}
