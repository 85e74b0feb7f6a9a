import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rename, rm, rmdir, stat, statfs, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, makeFolderDurably, syncFolder, writeFileDurably } from '../overlay/durable.js';
import { vpkProblem } from '../overlay/vpk.js';
import { KeyedLock } from '../process/keyed-lock.js';
import { Places } from '../process/places.js';
import { download, type DownloadLimits } from './download.js';
import type { WantedItem } from './workshop.js';
import { ItemUnavailable, WorkshopFailed } from './workshop-errors.js';

const WAITING = 'waiting for a download';

/** A whole, sound file of an item. */
export interface CachedItem {
  path: string;
  /** SHA-256 of its content, hexadecimal. */
  sha256: string;
}

export interface DownloadCacheOptions {
  /** How many downloads go on at once, whoever wants them. */
  downloads: number;
  limits: DownloadLimits;
  /** What downloads leave free on the disk, in bytes. */
  reserveBytes: number;
}

/**
 * cache/workshop/<id>/<version>.vpk, with its hash beside it in <version>.json, whose time is that of its last use. The .vpk itself is never
 * touched again: revisions share it. What is unfinished is <version>.part.
 */
export class DownloadCache {
  private readonly entries = new KeyedLock(WAITING);
  private readonly places: Places;

  constructor(
    private readonly folder: string,
    private readonly options: DownloadCacheOptions,
  ) {
    this.places = new Places(options.downloads, WAITING);
  }

  /** The item's file if it is there; its last use is now. */
  find(item: WantedItem): Promise<CachedItem | null> {
    return this.entries.hold(keyOf(item), () => this.look(item));
  }

  /**
   * Downloads the item unless it is there. Two that want the same wait for one download.
   * Throws `ItemUnavailable`, `WorkshopFailed`, `Interrupted`.
   */
  get(item: WantedItem, signal: AbortSignal, progress: (bytes: number) => void): Promise<CachedItem> {
    const work = async (): Promise<CachedItem> => {
      const cached = await this.look(item);
      return cached ?? this.places.hold(() => this.download(item, signal, progress), signal);
    };
    return this.entries.hold(keyOf(item), work, signal);
  }

  /** How much of these would have to be downloaded, in bytes. */
  async missingBytes(items: readonly WantedItem[]): Promise<number> {
    let missing = 0;
    for (const item of items)
      missing += item.bytes - Math.min(item.bytes, (await sizeOf(`${this.base(item)}.part`)) ?? 0);
    return missing;
  }

  /** Throws `WorkshopFailed` when the disk would be left with less than the reserve. */
  async requireSpace(bytes: number): Promise<void> {
    await makeFolderDurably(this.folder);
    const { bavail, bsize } = await statfs(this.folder);
    const free = bavail * bsize;
    if (bytes + this.options.reserveBytes <= free) return;
    throw new WorkshopFailed(
      `The disk has no room: ${megabytes(bytes)} are to be downloaded, ${megabytes(free)} are free, and ${megabytes(this.options.reserveBytes)} are kept free.`,
    );
  }

  /** Removes at most `most` files that nothing shares and nobody asked for since then; says which items. */
  async collect(unusedSince: number, most: number): Promise<string[]> {
    const removed: string[] = [];
    for (const id of await namesIn(this.folder)) {
      for (const version of versionsOf(await namesIn(join(this.folder, id)))) {
        if (removed.length >= most) return removed;
        const gone = await this.entries.hold(`${id}/${version}`, () => this.removeUnused(id, version, unusedSince));
        if (gone) removed.push(id);
      }
      await rmdir(join(this.folder, id)).catch(ignoreNotEmpty);
    }
    return removed;
  }

  private base({ id, version }: WantedItem): string {
    return join(this.folder, id, version);
  }

  private async look(item: WantedItem): Promise<CachedItem | null> {
    const base = this.base(item);
    if ((await sizeOf(`${base}.vpk`)) !== item.bytes) return null;
    const kept = await readHash(`${base}.json`);
    if (kept !== null) {
      const now = new Date();
      await utimes(`${base}.json`, now, now);
      return { path: `${base}.vpk`, sha256: kept };
    }
    return { path: `${base}.vpk`, sha256: await this.keepHash(base, `${base}.vpk`) };
  }

  private async download(
    item: WantedItem,
    signal: AbortSignal,
    progress: (bytes: number) => void,
  ): Promise<CachedItem> {
    const base = this.base(item);
    const part = `${base}.part`;
    await makeFolderDurably(join(this.folder, item.id));
    const continued = ((await sizeOf(part)) ?? 0) > 0;
    await this.requireSpace(item.bytes - ((await sizeOf(part)) ?? 0));
    const request = { url: item.fileUrl, bytes: item.bytes, part, progress };
    try {
      await download(request, this.options.limits, signal);
      let problem = await vpkProblem(part);
      if (problem !== null && continued) {
        // What an earlier build left may not belong to this file.
        await truncate(part, 0);
        await download(request, this.options.limits, signal);
        problem = await vpkProblem(part);
      }
      if (problem !== null) throw new ItemUnavailable(`its file is not a VPK that the game can read: ${problem}`);
    } catch (error) {
      if (error instanceof ItemUnavailable) await rm(part, { force: true });
      throw error;
    }
    const sha256 = await this.keepHash(base, part);
    await rename(part, `${base}.vpk`);
    await syncFolder(join(this.folder, item.id));
    return { path: `${base}.vpk`, sha256 };
  }

  private async keepHash(base: string, path: string): Promise<string> {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    const sha256 = hash.digest('hex');
    await writeFileDurably(`${base}.json`, `${JSON.stringify({ sha256 })}\n`);
    return sha256;
  }

  private async removeUnused(id: string, version: string, unusedSince: number): Promise<boolean> {
    const base = join(this.folder, id, version);
    let newest = 0;
    for (const path of [`${base}.vpk`, `${base}.json`, `${base}.part`]) {
      const stats = await statIfAny(path);
      if (stats === null) continue;
      if (path.endsWith('.vpk') && stats.nlink > 1) return false;
      newest = Math.max(newest, stats.mtimeMs);
    }
    if (newest > unusedSince) return false;
    for (const suffix of ['vpk', 'part', 'json']) await rm(`${base}.${suffix}`, { force: true });
    return true;
  }
}

function keyOf({ id, version }: WantedItem): string {
  return `${id}/${version}`;
}

function versionsOf(names: readonly string[]): string[] {
  return [...new Set(names.flatMap((name) => /^(\d+-\d+)\.(?:vpk|json|part)$/.exec(name)?.[1] ?? []))];
}

async function readHash(path: string): Promise<string | null> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value !== 'object' || value === null || !('sha256' in value)) return null;
    return typeof value.sha256 === 'string' && /^[0-9a-f]{64}$/.test(value.sha256) ? value.sha256 : null;
  } catch (error) {
    if (hasCode(error, 'ENOENT') || error instanceof SyntaxError) return null;
    throw error;
  }
}

async function sizeOf(path: string): Promise<number | null> {
  return (await statIfAny(path))?.size ?? null;
}

async function statIfAny(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

function ignoreNotEmpty(error: unknown): void {
  if (!hasCode(error, 'ENOTEMPTY', 'ENOENT', 'ENOTDIR')) throw error;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
