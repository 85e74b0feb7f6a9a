import { link, lstat, mkdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { type ArchiveLimits, unpack, type Unpacked } from '../archive/unpack.js';
import { Changed, Exists, NotFound, PathRefused } from '../errors.js';
import type { DirHandle } from './dir-handle.js';
import { hasCode } from './durable.js';
import type { ChangeOptions, MoveOptions, Placing, PutOptions, UnpackOptions, WrittenFile } from './file-tree.js';
import { moveContent, placeTree } from './place-tree.js';
import { besideTrees, receive, syncDisk, temporaryPath } from './received-files.js';
import { longestBelow } from './longest-path.js';
import { MAX_PATH_BYTES, pathParts } from './relative-path.js';
import { removeTree } from './remove-tree.js';
import { etagOf, lstatIfAny, sizeAndTime, statIfAny } from './tree-entries.js';
import { split, type TreePlaces, treeParts } from './tree-places.js';

const NEVER = new AbortController().signal;

/**
 * Changes trees. Everything is prepared beside them and takes its place by rename: what a tree's reader could meet half done is
 * the moment of `options.swap` alone.
 */
export class TreeChanges {
  constructor(
    private readonly places: TreePlaces,
    private readonly limits: ArchiveLimits,
  ) {}

  async write(
    tree: string,
    path: string,
    body: Readable,
    limitBytes: number,
    options: PutOptions = {},
  ): Promise<WrittenFile> {
    const { parents, name } = split(path);
    await this.refuseTarget(tree, parents, name, path); // before a body of any size is taken
    const received = await receive(this.places.folder, body, limitBytes, this.limits.reserveBytes);
    try {
      return await this.put(tree, path, received, options);
    } catch (error) {
      await rm(received, { force: true });
      throw error;
    }
  }

  async put(tree: string, path: string, file: string, options: PutOptions = {}): Promise<WrittenFile> {
    const { parents, name } = split(path);
    return around(options, async () => {
      await this.refuseTarget(tree, parents, name, path);
      const folder = await this.parentOf(tree, parents, path, options.ifMatch !== undefined);
      try {
        await refuseLinkOrFolder(folder, name, path);
        if (options.ifMatch !== undefined) await refuseOther(folder, name, path, options.ifMatch);
        if (options.ifNone === true) await putNew(file, folder, name, path);
        else await rename(file, folder.at(name));
        await folder.sync();
        const stats = await lstat(folder.at(name), { bigint: true });
        return { name, path, type: 'file', ...sizeAndTime(stats), etag: etagOf(stats) };
      } finally {
        await folder.close();
      }
    });
  }

  async unpack(tree: string, archive: string, options: UnpackOptions): Promise<Unpacked> {
    const parts = [...treeParts(tree), ...pathParts(options.target)];
    const { signal = NEVER, target, mode, progress } = options;
    const made = await temporaryPath(this.places.folder);
    await mkdir(made);
    const replaced = await temporaryPath(this.places.folder);
    try {
      const unpacked = await unpack(archive, made, this.limits, signal, { target, progress });
      await syncDisk(made, signal);
      const place = (): Promise<void> => this.place(made, parts, target, mode === 'replace' ? replaced : null);
      await around(options, place, { mode, path: target, aside: basename(mode === 'replace' ? replaced : made) });
      await removeTree(replaced);
      return unpacked;
    } finally {
      await removeTree(made);
    }
  }

  async makeWhole(tree: string, { mode, path, aside }: Placing): Promise<boolean> {
    const source = besideTrees(this.places.folder, aside);
    if ((await lstatIfAny(source)) === null) return false;
    const parts = [...treeParts(tree), ...pathParts(path)];
    if (mode === 'merge') {
      await this.place(source, parts, path, null);
      await removeTree(source);
      return true;
    }
    const parent = await this.places.make(parts.slice(0, -1), path);
    try {
      const place = parent.at(parts.at(-1) ?? '');
      if ((await lstatIfAny(place)) !== null) return false;
      await rename(source, place);
      await parent.sync();
      return true;
    } finally {
      await parent.close();
    }
  }

  async makeFolder(tree: string, path: string, options: ChangeOptions = {}): Promise<void> {
    const { parents, name } = split(path);
    await around(options, async () => {
      const parent = await this.places.make([...treeParts(tree), ...parents], path);
      try {
        await mkdir(parent.at(name));
        await parent.sync();
      } catch (error) {
        throw hasCode(error, 'EEXIST') ? new Exists(path) : error;
      } finally {
        await parent.close();
      }
    });
  }

  async move(tree: string, from: string, to: string, options: MoveOptions = {}): Promise<void> {
    const source = split(from);
    const target = split(to);
    if (`${to}/`.startsWith(`${from}/`)) throw new PathRefused(to, 'is what is to be moved, or is inside of it');
    await around(options, async () => {
      const out = await this.places.open(tree, source.parents, from);
      if (out === null) throw new NotFound(from);
      try {
        const stats = await lstatIfAny(out.at(source.name));
        if (stats === null) throw new NotFound(from);
        if (stats.isDirectory()) await refuseTooLong(out, source.name, to);
        const into = await this.places.make([...treeParts(tree), ...target.parents], to);
        try {
          if (stats.isDirectory() && options.merge === true && (await isFolder(into, target.name))) {
            await moveContent(
              out,
              source.name,
              { parent: into, name: target.name, path: to },
              options.replace === true,
            );
          } else {
            await refuseTaken(into, target.name, to, options.replace === true && stats.isFile());
            await rename(out.at(source.name), into.at(target.name));
          }
          await into.sync();
          await out.sync();
        } finally {
          await into.close();
        }
      } finally {
        await out.close();
      }
    });
  }

  async remove(tree: string, path: string, options: ChangeOptions = {}): Promise<void> {
    const { parents, name } = split(path);
    const away = await temporaryPath(this.places.folder);
    await around(options, async () => {
      const folder = await this.places.open(tree, parents, path);
      if (folder === null) throw new NotFound(path);
      try {
        await rename(folder.at(name), away); // out of everybody's reach in one step, however much it is
        await folder.sync();
      } catch (error) {
        throw hasCode(error, 'ENOENT') ? new NotFound(path) : error;
      } finally {
        await folder.close();
      }
    });
    await removeTree(away);
  }

  async destroy(tree: string): Promise<void> {
    const temporary = await temporaryPath(this.places.folder);
    try {
      await rename(join(this.places.folder, ...treeParts(tree)), temporary);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return;
      throw error;
    }
    await removeTree(temporary);
  }

  async checkPlace(tree: string, path: string, kind: 'file' | 'folder'): Promise<void> {
    if (kind === 'folder') {
      const folder = await this.places.open(tree, pathParts(path), path);
      await folder?.close();
      return;
    }
    const { parents, name } = split(path);
    await this.refuseTarget(tree, parents, name, path);
  }

  private async place(made: string, parts: readonly string[], path: string, replaced: string | null): Promise<void> {
    const parent = await this.places.make(parts.slice(0, -1), path);
    try {
      await placeTree(made, { parent, name: parts.at(-1) ?? '', path }, replaced);
      await parent.sync();
    } finally {
      await parent.close();
    }
  }

  /** @param asItIs of a file that must be there: nothing is made for one that is not */
  private async parentOf(tree: string, parents: readonly string[], path: string, asItIs: boolean): Promise<DirHandle> {
    if (!asItIs) return this.places.make([...treeParts(tree), ...parents], path);
    const folder = await this.places.open(tree, parents, path);
    if (folder === null) throw new Changed(path);
    return folder;
  }

  /** What is already there of the way must be folders, and the target not a link or a folder. */
  private async refuseTarget(tree: string, parents: readonly string[], name: string, path: string): Promise<void> {
    for (let depth = parents.length; depth >= 0; depth--) {
      const folder = await this.places.open(tree, parents.slice(0, depth), path);
      if (folder === null) continue;
      try {
        if (depth === parents.length) await refuseLinkOrFolder(folder, name, path);
      } finally {
        await folder.close();
      }
      return;
    }
  }
}

async function refuseLinkOrFolder(folder: DirHandle, name: string, path: string): Promise<void> {
  const stats = await lstatIfAny(folder.at(name));
  if (stats?.isDirectory()) throw new PathRefused(path, 'is a folder');
  if (stats !== null && !stats.isFile()) throw new PathRefused(path, 'is a link');
}

/** Of a folder that is to be moved, whose files must have paths that can be used. */
async function refuseTooLong(parent: DirHandle, name: string, to: string): Promise<void> {
  const longest = await longestBelow(await parent.child(name));
  if (Buffer.byteLength(to) + 1 + longest <= MAX_PATH_BYTES) return;
  throw new PathRefused(to, `a path in it would be longer than ${MAX_PATH_BYTES} bytes`);
}

async function refuseOther(folder: DirHandle, name: string, path: string, etag: string): Promise<void> {
  const stats = await statIfAny(folder.at(name));
  if (stats === null || etagOf(stats) !== etag) throw new Changed(path);
}

/** Of two who make the same file at the same time one is refused. */
async function putNew(file: string, folder: DirHandle, name: string, path: string): Promise<void> {
  try {
    await link(file, folder.at(name));
  } catch (error) {
    throw hasCode(error, 'EEXIST') ? new Changed(path, 'exists already') : error;
  }
  await rm(file);
}

async function isFolder(parent: DirHandle, name: string): Promise<boolean> {
  return (await lstatIfAny(parent.at(name)))?.isDirectory() === true;
}

async function refuseTaken(folder: DirHandle, name: string, path: string, mayReplace: boolean): Promise<void> {
  const stats = await lstatIfAny(folder.at(name));
  if (stats !== null && !(mayReplace && stats.isFile())) throw new Exists(path);
}

function around<T>(options: ChangeOptions, change: () => Promise<T>, placing?: Placing): Promise<T> {
  return options.swap === undefined ? change() : options.swap(change, placing);
}
