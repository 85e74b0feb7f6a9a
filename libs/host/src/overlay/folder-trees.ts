import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { ARCHIVE_LIMITS, type ArchiveLimits, type Unpacked } from '../archive/unpack.js';
import { Interrupted, NotFound, NotSupported, PathRefused } from '../errors.js';
import type { DirHandle } from './dir-handle.js';
import { hasCode } from './durable.js';
import type {
  ChangeOptions,
  FileTree,
  MoveOptions,
  ReadableFile,
  Placing,
  PutOptions,
  TreeEntry,
  TreeSummary,
  TreeWarning,
  UnpackOptions,
  WrittenFile,
} from './file-tree.js';
import { inspectTree } from './inspect-tree.js';
import { pathParts } from './relative-path.js';
import { TreeChanges } from './tree-changes.js';
import { entryOf, etagOf, foldersFirst, ifSwapped, lstatIfAny } from './tree-entries.js';
import { split, TreePlaces } from './tree-places.js';

export interface TreeOptions {
  readOnly?: boolean;
  /** Of archives, and how much of the disk stays free. */
  limits?: ArchiveLimits;
}

/**
 * Opens the trees below one folder: drafts (`<root>/drafts`, trees `<overlay>`) or, read-only, the published revisions
 * (`<root>/overlays`, trees `<overlay>/<revision>`).
 */
export function openTrees(folder: string, options: TreeOptions = {}): FileTree {
  const places = new TreePlaces(folder);
  const changes = options.readOnly === true ? null : new TreeChanges(places, options.limits ?? ARCHIVE_LIMITS);
  return new FolderTrees(places, changes);
}

class FolderTrees implements FileTree {
  constructor(
    private readonly places: TreePlaces,
    /** Null: read-only. */
    private readonly writable: TreeChanges | null,
  ) {}

  async list(tree: string, path: string): Promise<TreeEntry[]> {
    const parts = pathParts(path);
    const folder = await this.places.open(tree, parts, path);
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

  async open(tree: string, path: string): Promise<ReadableFile> {
    const { parents, name } = split(path);
    const folder = await this.places.open(tree, parents, path);
    if (folder === null) throw new NotFound(path);
    try {
      // O_NONBLOCK: opening a FIFO must not wait for a writer.
      const file = await open(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      const stats = await file.stat({ bigint: true });
      if (!stats.isFile()) {
        await file.close();
        throw new PathRefused(path, 'is not a file');
      }
      const about = { size: Number(stats.size), modifiedAt: stats.mtime.toISOString(), etag: etagOf(stats) };
      return { stream: file.createReadStream(), ...about };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) throw new NotFound(path);
      if (hasCode(error, 'ELOOP')) throw new PathRefused(path, 'is a link');
      throw error;
    } finally {
      await folder.close();
    }
  }

  async summary(tree: string, signal?: AbortSignal): Promise<TreeSummary> {
    const summary: TreeSummary = { files: 0, bytes: 0, modifiedAt: null };
    const root = await this.places.open(tree, [], '');
    if (root === null) return summary;
    let latest = (await stat(root.path)).mtimeMs;
    const visit = async (folder: DirHandle): Promise<void> => {
      try {
        for (const name of await readdir(folder.path)) {
          if (signal?.aborted === true) throw new Interrupted('counting the files');
          const stats = await lstatIfAny(folder.at(name));
          if (stats === null) continue;
          latest = Math.max(latest, stats.mtimeMs);
          if (stats.isFile()) {
            summary.files++;
            summary.bytes += stats.size;
          } else if (stats.isDirectory()) {
            const child = await folder.child(name).catch(ifSwapped);
            if (child !== null) await visit(child);
          }
        }
      } finally {
        await folder.close();
      }
    };
    await visit(root);
    return { ...summary, modifiedAt: new Date(latest).toISOString() };
  }

  async *warnings(tree: string, signal?: AbortSignal): AsyncGenerator<TreeWarning> {
    const root = await this.places.open(tree, [], '');
    if (root !== null) yield* inspectTree(root, signal);
  }

  async write(
    tree: string,
    path: string,
    body: Readable,
    limitBytes: number,
    options?: PutOptions,
  ): Promise<WrittenFile> {
    return this.changes.write(tree, path, body, limitBytes, options);
  }

  async put(tree: string, path: string, file: string, options?: PutOptions): Promise<WrittenFile> {
    return this.changes.put(tree, path, file, options);
  }

  async unpack(tree: string, archive: string, options: UnpackOptions): Promise<Unpacked> {
    return this.changes.unpack(tree, archive, options);
  }

  async makeWhole(tree: string, placing: Placing): Promise<boolean> {
    return this.changes.makeWhole(tree, placing);
  }

  async makeFolder(tree: string, path: string, options?: ChangeOptions): Promise<void> {
    await this.changes.makeFolder(tree, path, options);
  }

  async move(tree: string, from: string, to: string, options?: MoveOptions): Promise<void> {
    await this.changes.move(tree, from, to, options);
  }

  async remove(tree: string, path: string, options?: ChangeOptions): Promise<void> {
    await this.changes.remove(tree, path, options);
  }

  async checkPlace(tree: string, path: string, kind: 'file' | 'folder'): Promise<void> {
    await this.changes.checkPlace(tree, path, kind);
  }

  async destroy(tree: string): Promise<void> {
    await this.changes.destroy(tree);
  }

  private get changes(): TreeChanges {
    if (this.writable === null) throw new NotSupported('published revisions never change');
    return this.writable;
  }
}
