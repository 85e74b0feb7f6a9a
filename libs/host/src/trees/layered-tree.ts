import { constants } from 'node:fs';
import { lstat, open, readlink, type FileHandle } from 'node:fs/promises';
import { NotFound, PathRefused } from '../errors.js';
import { DirHandle } from '../overlay/dir-handle.js';
import { hasCode } from '../overlay/durable.js';
import { pathParts } from '../overlay/relative-path.js';
import { cutPage } from './folder-page.js';
import { type FolderPage, type Layer, type LayeredEntry, type LayerName, nameOf, type PageRequest } from './layer.js';
import { type Merged, mergeSightings, type Sighting } from './merge-sightings.js';
import { opaqueAmong } from './opaque-folders.js';
import { closeLayers, isHidden, type MergeRules, type OpenLayer, openLayers } from './open-layers.js';
import { sightingOf, sightingsIn } from './sightings.js';

/** A file that is open for reading; the caller closes it. */
export interface OpenedFile {
  file: FileHandle;
  size: number;
  /** ISO 8601, UTC. */
  modifiedAt: string;
  layer: LayerName;
  /** Another file has another one. */
  identity: string;
}

/** A name as an open layer has it. */
interface OpenSighting extends Sighting {
  folder: DirHandle;
}

/** Everything in a merged folder, hidden things included. */
interface Contents {
  sightings: Map<string, OpenSighting[]>;
  unreadable: number;
}

/**
 * Folders on top of each other, seen as overlayfs shows them (Linux, Documentation/filesystems/overlayfs.rst) without a mount:
 * whiteouts, opaque folders of what the server wrote, files over folders and folders over files. It only reads, and follows no link:
 * every step is made from an open folder. Throws `PathRefused` for paths that lead elsewhere, and `NotFound`.
 */
export class LayeredTree {
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

  /** One page of a folder; `''` is the tree itself. */
  async list(path: string, request: PageRequest): Promise<FolderPage> {
    const parts = pathParts(path);
    const rules = await this.rules(parts, true);
    const layers = await openLayers(this.layers, parts, rules);
    try {
      const { sightings, unreadable } = await this.contents(layers, path, rules);
      const shown = [...sightings].flatMap(([name, of]) => {
        const merged = mergeSightings(of, rules.opaque.has(below(path, name)));
        return merged === null ? [] : [{ name, isFolder: merged.seen.type === 'directory', merged }];
      });
      const { items, nextCursor } = cutPage(shown, request);
      const entries: LayeredEntry[] = [];
      for (const { name, merged } of items) {
        const entry = await entryOf(merged, name, below(path, name));
        if (entry !== null) entries.push(entry);
      }
      return { items: entries, nextCursor, unreadableNames: unreadable };
    } finally {
      await closeLayers(layers);
    }
  }

  /** One file, folder or link; null when it is not there, or hidden. */
  async entry(path: string): Promise<LayeredEntry | null> {
    const { parents, name } = split(path);
    const rules = await this.rules([...parents, name], false);
    const layers = await this.parentsOf(parents, rules);
    try {
      const merged = mergeSightings(await this.sightingsOf(layers, name, path, rules), rules.opaque.has(path));
      return merged === null ? null : await entryOf(merged, name, path);
    } finally {
      await closeLayers(layers);
    }
  }

  /** A file, for reading. */
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
    const { parents, name } = split(path);
    const own = await this.openTop(parents);
    if (own === null) return null;
    try {
      if ((await sightingOf(own.folder, name)) !== 'file') return null;
      return await openFile(own, name, path);
    } finally {
      await own.folder.close();
    }
  }

  /** The parts of the way that are folders of the server's own, and what is in the last one. */
  private async rules(parts: readonly string[], withContents: boolean): Promise<MergeRules> {
    const [top] = this.layers;
    if (top?.kind !== 'own' || this.layers.length === 1) return { hidden: this.hidden, opaque: new Set() };
    let reached = parts.length;
    let own = await this.openTop(parts);
    while (own === null && reached > 0) own = await this.openTop(parts.slice(0, --reached));
    if (own === null) return { hidden: this.hidden, opaque: new Set() };
    let inside: string[] = [];
    try {
      if (withContents && reached === parts.length) inside = await foldersIn(own.folder, parts.join('/'));
    } finally {
      await own.folder.close();
    }
    return { hidden: this.hidden, opaque: await opaqueOf(top, [...prefixes(parts.slice(0, reached)), ...inside]) };
  }

  /** A folder of the server's own; null where there is none. */
  private async openTop(parts: readonly string[]): Promise<OpenSighting | null> {
    const [layer] = this.layers;
    if (layer?.kind !== 'own') return null;
    let top: DirHandle | null = null;
    try {
      top = await DirHandle.open(layer.folder);
      return { layer, type: 'directory', folder: await top.descend(parts) };
    } catch (error) {
      if (error instanceof PathRefused || hasCode(error, 'ENOENT')) return null;
      throw error;
    } finally {
      await top?.close();
    }
  }

  private async parentsOf(parents: readonly string[], rules: MergeRules): Promise<OpenLayer[]> {
    try {
      return await openLayers(this.layers, parents, rules);
    } catch (error) {
      if (error instanceof NotFound) return [];
      throw error;
    }
  }

  private async contents(layers: readonly OpenLayer[], path: string, rules: MergeRules): Promise<Contents> {
    const contents: Contents = { sightings: new Map(), unreadable: 0 };
    for (const { layer, folder } of layers) {
      const { names, unreadable } = await sightingsIn(folder, path);
      contents.unreadable += unreadable;
      for (const [name, type] of names) {
        if (isHidden(layer, below(path, name), rules)) continue;
        const known = contents.sightings.get(name);
        if (known) known.push({ layer, folder, type });
        else contents.sightings.set(name, [{ layer, folder, type }]);
      }
    }
    return contents;
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

function below(path: string, name: string): string {
  return path === '' ? name : `${path}/${name}`;
}

function prefixes(parts: readonly string[]): string[] {
  return parts.map((_, i) => parts.slice(0, i + 1).join('/'));
}

function split(path: string): { parents: string[]; name: string } {
  const parts = pathParts(path);
  const name = parts.pop();
  if (name === undefined) throw new PathRefused(path, 'the path is empty');
  return { parents: parts, name };
}

async function foldersIn(folder: DirHandle, path: string): Promise<string[]> {
  const { names } = await sightingsIn(folder, path);
  return [...names].filter(([, type]) => type === 'directory').map(([name]) => below(path, name));
}

async function opaqueOf(top: Layer, paths: readonly string[]): Promise<ReadonlySet<string>> {
  const folder = await DirHandle.open(top.folder);
  try {
    return await opaqueAmong(folder, paths);
  } finally {
    await folder.close();
  }
}

/** Null when it went since it was seen. */
async function entryOf(
  { seen: { layer, folder }, hides }: Merged<OpenSighting>,
  name: string,
  path: string,
): Promise<LayeredEntry | null> {
  try {
    const stats = await lstat(folder.at(name));
    const about = { name, path, modifiedAt: stats.mtime.toISOString(), layer: nameOf(layer), hides };
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
  const stats = await file.stat();
  if (stats.isFile()) {
    const { size, dev, ino } = stats;
    return { file, size, modifiedAt: stats.mtime.toISOString(), layer: nameOf(layer), identity: `${dev}:${ino}` };
  }
  await file.close();
  throw new PathRefused(path, 'is not a file');
}
