import { lstat, mkdir, opendir, readFile, readdir, rename, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { HostTrash, TrashEntry } from '../host.js';
import { hasCode, makeFolderDurably, syncFolder, temporaryName, writeFileDurably } from '../overlay/durable.js';
import { removeTree, removeUnfinished } from '../overlay/remove-tree.js';
import { lstatIfAny } from '../overlay/tree-entries.js';
import type { InstanceFolder } from './instance-folder.js';
import { isTrashFolder, trashPath } from './names.js';

/** Counting ends here: it is for people to read, and a server may have written any number. */
const MOST_COUNTED = 1_000_000;
/** Nobody takes that long between a record and the move of its files. */
const UNFINISHED_MS = 3600_000;

/**
 * What servers wrote and were deleted with: trash/<server>/<job>/files, with `replaced` if they had that, and entry.json, which says what
 * it is without any database. Every step is a rename, so that what is put away is in one place or the other whatever happens in between.
 */
export class Trash implements HostTrash {
  private readonly folder: string;

  constructor(root: string) {
    this.folder = join(root, 'trash');
  }

  /** Moves the server's own files here: what it wrote, which is a folder by now, and what of that has given way to layers, if any. */
  async put(wanted: string, folder: InstanceFolder): Promise<TrashEntry> {
    const target = await freeName(join(this.folder, trashPath(wanted)));
    const counted = await count([folder.upper(), folder.replaced()]);
    const record = { server: folder.name, deletedAt: new Date().toISOString(), ...counted };
    await makeFolderDurably(target);
    await writeFileDurably(join(target, 'entry.json'), JSON.stringify(record), 0o640);
    await rename(folder.upper(), join(target, 'files'));
    await renameIfAny(folder.replaced(), join(target, 'replaced'));
    await Promise.all([syncFolder(target), syncFolder(folder.path)]);
    return { path: `${basename(dirname(target))}/${basename(target)}`, ...record };
  }

  /** Whether it is here. */
  has(path: string): Promise<boolean> {
    return isFolder(this.files(path));
  }

  /** Moves an entry back into an instance that has nothing of its own. Its files come last: without them it is no entry any more. */
  async take(path: string, folder: InstanceFolder): Promise<void> {
    const files = this.files(path);
    await writeFileDurably(this.restoring(path), folder.name, 0o640);
    await renameIfAny(join(dirname(files), 'replaced'), folder.replaced());
    await rename(files, folder.upper());
    await Promise.all([syncFolder(folder.path), syncFolder(dirname(files))]);
    await this.purge(path);
  }

  /** After a `take` that was killed between its two renames: what it has moved joins its entry again. */
  async undoTake(path: string, folder: InstanceFolder): Promise<void> {
    if ((await readIfAny(this.restoring(path))) !== folder.name) return;
    const replaced = join(dirname(this.files(path)), 'replaced');
    if (!(await isFolder(replaced))) await renameIfAny(folder.replaced(), replaced);
  }

  async entries(): Promise<TrashEntry[]> {
    const found: TrashEntry[] = [];
    for (const path of await this.folders()) {
      const entry = (await this.has(path)) ? await this.entry(path) : null;
      if (entry !== null) found.push(entry);
    }
    return found;
  }

  async purge(path: string): Promise<void> {
    const folder = join(this.folder, trashPath(path));
    const doomed = temporaryName(join(this.folder, 'doomed'));
    if (await renameIfAny(folder, doomed)) {
      await syncFolder(dirname(folder));
      try {
        await removeTree(doomed);
      } catch (error) {
        // Under its own name people can tell what the rest is, and it is found again.
        await mkdir(dirname(folder), { recursive: true });
        await rename(doomed, folder);
        throw error;
      }
    }
    try {
      await rmdir(dirname(folder));
    } catch (error) {
      if (!hasCode(error, 'ENOTEMPTY', 'ENOENT')) throw error;
    }
  }

  /** Removes a folder of this host, wherever it is: it is gone from its place at once. Missing: success. */
  async discard(folder: string): Promise<void> {
    const doomed = temporaryName(join(this.folder, 'doomed'));
    if (!(await renameIfAny(folder, doomed))) return;
    await syncFolder(dirname(folder));
    await removeTree(doomed);
  }

  /** Beside other operations: what one of them has just begun is left alone. */
  async tidy(): Promise<void> {
    const failed: Error[] = [];
    const noteFailure = (error: unknown): void =>
      void failed.push(error instanceof Error ? error : new Error(String(error)));
    await removeUnfinished(this.folder).catch(noteFailure);
    for (const path of await this.folders()) {
      // The record of files that were never moved here, or have been moved back.
      if (!(await this.has(path)) && (await this.isOld(path))) await this.purge(path).catch(noteFailure);
    }
    if (failed.length > 0) throw new AggregateError(failed, failed.map(({ message }) => message).join('; '));
  }

  private async isOld(path: string): Promise<boolean> {
    const stats = await lstatIfAny(join(this.folder, path));
    return stats !== null && Date.now() - stats.mtimeMs > UNFINISHED_MS;
  }

  private files(path: string): string {
    return join(this.folder, trashPath(path), 'files');
  }

  /** Names the instance that an entry is being moved into. */
  private restoring(path: string): string {
    return join(this.folder, trashPath(path), 'restoring');
  }

  /** Of entries, whole or not. */
  private async folders(): Promise<string[]> {
    const paths: string[] = [];
    for (const server of await foldersIn(this.folder)) {
      for (const job of await foldersIn(join(this.folder, server))) paths.push(`${server}/${job}`);
    }
    return paths;
  }

  /** Null: a job has taken it meanwhile. */
  private async entry(path: string): Promise<TrashEntry | null> {
    const record = await readRecord(join(this.folder, path, 'entry.json'));
    if (record !== null) return { path, ...record };
    const stats = await lstatIfAny(this.files(path));
    if (stats === null) return null;
    return { path, server: dirname(path), deletedAt: stats.ctime.toISOString(), files: null, bytes: null };
  }
}

/** @returns whether there was anything to rename */
async function renameIfAny(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

async function readIfAny(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

/** What somebody else has put there is left alone. */
async function foldersIn(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && isTrashFolder(entry.name));
    return folders.map(({ name }) => name).sort();
  } catch (error) {
    // The last entry of a server goes with its folder.
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Null: there is none, or it is damaged. */
async function readRecord(path: string): Promise<Omit<TrashEntry, 'path'> | null> {
  let value: unknown;
  try {
    value = JSON.parse((await readIfAny(path)) ?? 'null');
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
  const { server, deletedAt, files, bytes }: Record<keyof Omit<TrashEntry, 'path'>, unknown> = Object(value);
  if (typeof server !== 'string' || typeof deletedAt !== 'string' || Number.isNaN(Date.parse(deletedAt))) return null;
  return {
    server,
    deletedAt,
    files: typeof files === 'number' ? files : null,
    bytes: typeof bytes === 'number' ? bytes : null,
  };
}

/** Follows no link. */
async function count(roots: readonly string[]): Promise<{ files: number | null; bytes: number | null }> {
  let files = 0;
  let bytes = 0;
  let seen = 0;
  const folders: string[] = [];
  for (const root of roots) if (await isFolder(root)) folders.push(root);
  try {
    for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
      for await (const entry of await opendir(next)) {
        seen += 1;
        if (seen > MOST_COUNTED) return { files: null, bytes: null };
        const path = join(next, entry.name);
        if (entry.isDirectory()) folders.push(path);
        else files += 1;
        bytes += (await lstat(path)).blocks * 512;
      }
    }
  } catch {
    // Counting is for people: what cannot be read to its end (a path that is too long, a name that is not UTF-8) is put away nevertheless.
    return { files: null, bytes: null };
  }
  return { files, bytes };
}

/** Another database may have given out the same numbers before. */
async function freeName(path: string): Promise<string> {
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? path : `${path}-${n}`;
    if (!(await isFolder(candidate))) return candidate;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
