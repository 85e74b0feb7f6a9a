import { constants } from 'node:fs';
import { lstat, open, readlink, type FileHandle } from 'node:fs/promises';
import { NotFound, PathRefused } from '../errors.js';
import type { DirHandle } from '../overlay/dir-handle.js';
import { hasCode } from '../overlay/durable.js';
import { pathParts, pathProblem } from '../overlay/relative-path.js';
import { etagOf, sizeAndTime } from '../overlay/tree-entries.js';
import { cutPage, type Placed } from './folder-page.js';
import { below, type Layer, nameOf } from './layer.js';
import type { FolderPage, LayeredEntry, LeftOut, MergedTree, OpenedFile, PageRequest } from './merged-tree.js';
import { type Merged, mergeSightings, type Sighting } from './merge-sightings.js';
import { OwnFolders } from './own-folders.js';
import { closeLayers, isHidden, type MergeRules, type OpenLayer, openLayers } from './open-layers.js';
import { sightingOf, sightingsIn } from './sightings.js';

/** A name as an open layer has it. */
interface OpenSighting extends Sighting {
  folder: DirHandle;
}

/** A name that a folder shows. */
interface Shown extends Placed {
  merged: Merged<Sighting>;
}

/** A folder may have very many links, whose targets take 4 KB each. */
const ENTRIES_AT_ONCE = 1_000;

/**
 * Folders on top of each other, seen as overlayfs shows them (Linux, Documentation/filesystems/overlayfs.rst) without a mount:
 * whiteouts, opaque folders of what the server wrote, files over folders and folders over files. It only reads, and follows no link:
 * every step is made from an open folder. Throws `PathRefused` for paths that lead elsewhere, and `NotFound`.
 */
export class LayeredTree implements MergedTree {
  private readonly hidden: ReadonlySet<string>;

  /**
   * @param layers topmost first; one whose folder is missing is empty
   * @param hide paths that no overlay and not the game shows
   */
  constructor(
    private readonly layers: readonly Layer[],
    hide: readonly string[] = [],
  ) {
    this.hidden = new Set(hide);
  }

  async list(path: string, request: PageRequest): Promise<FolderPage> {
    const parts = pathParts(path);
    return this.page(parts, await this.rules(parts, true), request);
  }

  async *walk(path: string, signal?: AbortSignal): AsyncGenerator<LayeredEntry | LeftOut> {
    const rules = await this.rulesBelow(pathParts(path), signal);
    const folders = [path];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      signal?.throwIfAborted();
      for await (const entry of this.walkFolder(folder, rules, folder === path)) {
        signal?.throwIfAborted();
        const why = 'why' in entry ? null : pathProblem(entry.path);
        yield why === null ? entry : { path: entry.path, why };
        if (why === null && 'type' in entry && entry.type === 'directory') folders.push(entry.path);
      }
    }
  }

  async entry(path: string): Promise<LayeredEntry | null> {
    const { parents, name } = split(path);
    return (await this.entries(parents.join('/'), [name])).get(name) ?? null;
  }

  /** Those of the names that are in the folder; none when there is no such folder. */
  async entries(path: string, names: readonly string[]): Promise<Map<string, LayeredEntry>> {
    const parts = pathParts(path);
    const rules = await this.rules(parts, true);
    const found = new Map<string, LayeredEntry>();
    const layers = await this.openIfAny(parts, rules);
    try {
      for (const name of names) {
        const child = below(path, name);
        const merged = mergeSightings(await this.sightingsOf(layers, name, child, rules), rules.opaque.has(child));
        const entry = merged === null ? null : await entryOf(merged, name, child);
        if (entry !== null) found.set(name, entry);
      }
      return found;
    } finally {
      await closeLayers(layers);
    }
  }

  async open(path: string): Promise<OpenedFile> {
    const own = await this.openOwn(path);
    if (own !== null) return own;
    const { parents, name } = split(path);
    const rules = await this.rules(parents, false);
    const layers = await openLayers(this.layers, parents, rules);
    try {
      const [top] = await this.sightingsOf(layers, name, path, rules);
      if (top === undefined || top.type === 'whiteout') throw new NotFound(path);
      if (top.type !== 'file') throw new PathRefused(path, top.type === 'link' ? 'is a link' : 'is not a file');
      return await openFile(top, name, path);
    } finally {
      await closeLayers(layers);
    }
  }

  /** What is on top needs no look below: a log that is followed is asked for again and again. */
  private async openOwn(path: string): Promise<OpenedFile | null> {
    const [layer] = this.layers;
    if (layer?.kind !== 'own') return null;
    const { parents, name } = split(path);
    const folder = await new OwnFolders(layer).open(parents);
    if (folder === null) return null;
    try {
      if ((await sightingOf(folder, name)) !== 'file') return null;
      return await openFile({ layer, type: 'file', folder }, name, path);
    } finally {
      await folder.close();
    }
  }

  private async page(parts: readonly string[], rules: MergeRules, request: PageRequest): Promise<FolderPage> {
    const path = parts.join('/');
    return this.inside(path, rules, async (layers) => {
      const { shown, unreadable } = await this.shownIn(layers, path, rules);
      const { items, nextCursor } = cutPage(shown, request);
      return { items: await entriesOf(items, layers, path), nextCursor, unreadableNames: unreadable };
    });
  }

  /**
   * One folder of a walk, some entries at a time: nothing is open while they are used, and not all of their targets are in memory. Below
   * the top, folders may go while they are read, or be closed to everybody.
   */
  private async *walkFolder(path: string, rules: MergeRules, isTop: boolean): AsyncGenerator<LayeredEntry | LeftOut> {
    try {
      const { shown, unreadable } = await this.inside(path, rules, (layers) => this.shownIn(layers, path, rules));
      if (unreadable > 0) yield { path, why: `${unreadable} names that are not UTF-8` };
      const { items } = cutPage(shown, { limit: Infinity });
      for (let from = 0; from < items.length; from += ENTRIES_AT_ONCE) {
        const some = items.slice(from, from + ENTRIES_AT_ONCE);
        yield* await this.inside(path, rules, (layers) => entriesOf(some, layers, path));
      }
    } catch (error) {
      if (isTop) throw error;
      if (error instanceof NotFound) yield { path, why: 'it went while the tree was read' };
      else if (error instanceof PathRefused) yield { path, why: error.problem };
      else throw error;
    }
  }

  private async inside<T>(
    path: string,
    rules: MergeRules,
    work: (layers: readonly OpenLayer[]) => Promise<T>,
  ): Promise<T> {
    const layers = await openLayers(this.layers, pathParts(path), rules);
    try {
      return await work(layers);
    } finally {
      await closeLayers(layers);
    }
  }

  private async shownIn(
    layers: readonly OpenLayer[],
    path: string,
    rules: MergeRules,
  ): Promise<{ shown: Shown[]; unreadable: number }> {
    const { sightings, unreadable } = await this.contents(layers, path, rules);
    const shown = [...sightings].flatMap(([name, of]) => {
      const merged = mergeSightings(of, rules.opaque.has(below(path, name)));
      return merged === null ? [] : [{ name, isFolder: merged.seen.type === 'directory', merged }];
    });
    return { shown, unreadable };
  }

  private async openIfAny(parts: readonly string[], rules: MergeRules): Promise<OpenLayer[]> {
    try {
      return await openLayers(this.layers, parts, rules);
    } catch (error) {
      if (error instanceof NotFound || error instanceof PathRefused) return [];
      throw error;
    }
  }

  /** For the way to a folder and, where they are asked for, the folders in it. */
  private async rules(parts: readonly string[], withContents: boolean): Promise<MergeRules> {
    const [top] = this.layers;
    if (top?.kind !== 'own' || this.layers.length === 1) return { hidden: this.hidden, opaque: new Set() };
    const own = new OwnFolders(top);
    return { hidden: this.hidden, opaque: await own.opaque(await own.along(parts, withContents)) };
  }

  /** For a folder and all below it. */
  private async rulesBelow(parts: readonly string[], signal?: AbortSignal): Promise<MergeRules> {
    const [top] = this.layers;
    if (top?.kind !== 'own' || this.layers.length === 1) return { hidden: this.hidden, opaque: new Set() };
    const own = new OwnFolders(top);
    const paths = [...(await own.along(parts, false)), ...(await own.below(parts, signal))];
    return { hidden: this.hidden, opaque: await own.opaque(paths) };
  }

  private async contents(layers: readonly OpenLayer[], path: string, rules: MergeRules) {
    const sightings = new Map<string, OpenSighting[]>();
    let unreadable = 0;
    for (const { layer, folder } of layers) {
      const found = await sightingsIn(folder, path);
      unreadable += found.unreadable;
      for (const [name, type] of found.names) {
        if (isHidden(layer, below(path, name), rules)) continue;
        const known = sightings.get(name);
        if (known) known.push({ layer, folder, type });
        else sightings.set(name, [{ layer, folder, type }]);
      }
    }
    return { sightings, unreadable };
  }

  private async sightingsOf(
    layers: readonly OpenLayer[],
    name: string,
    path: string,
    rules: MergeRules,
  ): Promise<OpenSighting[]> {
    const sightings: OpenSighting[] = [];
    for (const { layer, folder } of layers) {
      const type = isHidden(layer, path, rules) ? null : await sightingOf(folder, name);
      if (type !== null) sightings.push({ layer, folder, type });
    }
    return sightings;
  }
}

function split(path: string): { parents: string[]; name: string } {
  const parts = pathParts(path);
  const name = parts.pop();
  if (name === undefined) throw new PathRefused(path, 'the path is empty');
  return { parents: parts, name };
}

/** Without those that went since they were seen. */
async function entriesOf(shown: readonly Shown[], layers: readonly OpenLayer[], path: string): Promise<LayeredEntry[]> {
  const folders = new Map(layers.map(({ layer, folder }) => [layer, folder]));
  const entries: LayeredEntry[] = [];
  for (const { name, merged } of shown) {
    const folder = folders.get(merged.seen.layer);
    if (folder === undefined) continue;
    const entry = await entryOf({ ...merged, seen: { ...merged.seen, folder } }, name, below(path, name));
    if (entry !== null) entries.push(entry);
  }
  return entries;
}

/** Null when it went since it was seen. */
async function entryOf(
  { seen: { layer, folder }, hides, merged }: Merged<OpenSighting>,
  name: string,
  path: string,
): Promise<LayeredEntry | null> {
  try {
    const stats = await lstat(folder.at(name));
    const about = { name, path, modifiedAt: stats.mtime.toISOString(), layer: nameOf(layer), hides, merged };
    if (stats.isDirectory()) return { ...about, type: 'directory', size: 0, target: null };
    if (stats.isFile()) return { ...about, type: 'file', size: stats.size, target: null };
    if (!stats.isSymbolicLink()) return null;
    return { ...about, type: 'link', size: stats.size, target: await readlink(folder.at(name)) };
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL')) return null;
    throw error;
  }
}

async function openFile({ layer, folder }: OpenSighting, name: string, path: string): Promise<OpenedFile> {
  let file: FileHandle;
  try {
    // O_NONBLOCK: opening a FIFO must not wait for a writer.
    file = await open(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw new NotFound(path);
    if (hasCode(error, 'ELOOP')) throw new PathRefused(path, 'is a link');
    if (hasCode(error, 'EACCES', 'ENXIO')) throw new PathRefused(path, 'cannot be read');
    throw error;
  }
  const stats = await file.stat({ bigint: true });
  if (stats.isFile()) {
    const about = { ...sizeAndTime(stats), etag: etagOf(stats), identity: `${stats.dev}:${stats.ino}` };
    return { file, ...about, layer: nameOf(layer) };
  }
  await file.close();
  throw new PathRefused(path, 'is not a file');
}
