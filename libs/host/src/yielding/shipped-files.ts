import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { lstat, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasCode } from '../overlay/durable.js';

/** What a generation puts below the server's own files. */
export interface ShippedLayers {
  /** Absolute, topmost first; the first is the generated one, which `hide` does not apply to. */
  layers: readonly string[];
  hide: readonly string[];
}

/** What the layers have at a path: the topmost one's. */
export interface Shipped {
  type: 'file' | 'directory' | 'link';
  source: string;
  size: number;
  generated: boolean;
}

/**
 * Looks single paths up in layers that never change. Folders are looked for once, so that thousands of paths cost little more than
 * a look each. Follows no link, since it goes through real folders only.
 */
export class ShippedFiles {
  private readonly folders = new Map<string, Promise<readonly number[]>>();
  private readonly hidden: ReadonlySet<string>;

  constructor(private readonly shipped: ShippedLayers) {
    this.hidden = new Set(shipped.hide);
  }

  /** Whether some layer shows a folder there. The path `.` is the whole tree. */
  async hasFolder(path: string): Promise<boolean> {
    return (await this.layersWith(path)).length > 0;
  }

  /** Null when no layer has it, or it is hidden. */
  async find(path: string): Promise<Shipped | null> {
    for (const layer of await this.layersWith(dirname(path))) {
      const found = await this.look(layer, path);
      if (found === 'hidden') return null;
      if (found !== null) return found;
    }
    return null;
  }

  private layersWith(folder: string): Promise<readonly number[]> {
    let known = this.folders.get(folder);
    if (known === undefined) {
      known = this.lookForFolder(folder);
      this.folders.set(folder, known);
    }
    return known;
  }

  /** The layers, by their places, whose folders are merged at this path. */
  private async lookForFolder(folder: string): Promise<readonly number[]> {
    if (folder === '.') return [...this.shipped.layers.keys()];
    const found: number[] = [];
    for (const layer of await this.layersWith(dirname(folder))) {
      const entry = await this.look(layer, folder);
      if (entry === 'hidden') break;
      if (entry === null) continue;
      if (entry.type !== 'directory') break;
      found.push(layer);
    }
    return found;
  }

  private async look(layer: number, path: string): Promise<Shipped | 'hidden' | null> {
    if (layer > 0 && this.hidden.has(path)) return 'hidden';
    const source = join(this.shipped.layers[layer] ?? '', path);
    const stats = await lstatIfAny(source);
    if (stats === null) return null;
    const about = { source, size: stats.size, generated: layer === 0 };
    if (stats.isDirectory()) return { ...about, type: 'directory' };
    if (stats.isFile()) return { ...about, type: 'file' };
    return stats.isSymbolicLink() ? { ...about, type: 'link' } : 'hidden';
  }
}

/** Whether two generations show something else at a path. Folders merge, so that two of them are the same. */
export async function differs(before: Shipped | null, after: Shipped | null): Promise<boolean> {
  if (before === null || after === null) return before !== after;
  if (before.source === after.source) return false;
  if (before.type !== after.type) return true;
  if (before.type === 'directory') return false;
  if (before.type === 'link') return (await readlink(before.source)) !== (await readlink(after.source));
  return before.size !== after.size || (await hashOf(before.source)) !== (await hashOf(after.source));
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

async function lstatIfAny(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
