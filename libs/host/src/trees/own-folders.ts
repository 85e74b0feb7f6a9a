import { PathRefused } from '../errors.js';
import { DirHandle } from '../overlay/dir-handle.js';
import { hasCode } from '../overlay/durable.js';
import { pathProblem } from '../overlay/relative-path.js';
import { below, type Layer } from './layer.js';
import { opaqueAmong } from './opaque-folders.js';
import { sightingsIn } from './sightings.js';

/** More are not walked: a server could fill the memory with folders. */
const MOST_FOLDERS = 100_000;
/** Each folder is reached from the top: a nest costs the square of its depth. */
const MOST_STEPS = 1_000_000;

/** The folders of the layer that the server writes, which alone may be opaque. */
export class OwnFolders {
  constructor(private readonly layer: Layer) {}

  /** The caller closes it. Null where the layer has no such folder. */
  async open(parts: readonly string[]): Promise<DirHandle | null> {
    let top: DirHandle | null = null;
    try {
      top = await DirHandle.open(this.layer.folder);
      return await top.descend(parts);
    } catch (error) {
      if (error instanceof PathRefused || hasCode(error, 'ENOENT')) return null;
      throw error;
    } finally {
      await top?.close();
    }
  }

  /** The folders on the way that this layer has, and those in the last one. */
  async along(parts: readonly string[], withContents: boolean): Promise<string[]> {
    for (let depth = parts.length; depth >= 0; depth--) {
      const folder = await this.open(parts.slice(0, depth));
      if (folder === null) continue;
      try {
        const way = parts.slice(0, depth).map((_, i) => parts.slice(0, i + 1).join('/'));
        const inside = withContents && depth === parts.length ? await foldersIn(folder, parts.join('/')) : [];
        return [...way, ...inside];
      } finally {
        await folder.close();
      }
    }
    return [];
  }

  /** All folders below this one, without those whose path is longer than can be used. Throws the signal's reason. */
  async below(parts: readonly string[], signal?: AbortSignal): Promise<string[]> {
    const found: string[] = [];
    const pending = [parts.join('/')];
    let steps = 0;
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      signal?.throwIfAborted();
      const way = path === '' ? [] : path.split('/');
      steps += way.length;
      if (steps > MOST_STEPS) throw new PathRefused(parts.join('/'), 'has too many folders below each other');
      const folder = await this.open(way);
      if (folder === null) continue;
      try {
        for (const child of await foldersIn(folder, path)) {
          if (pathProblem(child) !== null) continue;
          found.push(child);
          pending.push(child);
        }
      } finally {
        await folder.close();
      }
      if (found.length > MOST_FOLDERS) throw new PathRefused(parts.join('/'), `has more than ${MOST_FOLDERS} folders`);
    }
    return found;
  }

  /** Which of these hide what the layers below have in them. */
  async opaque(paths: readonly string[]): Promise<ReadonlySet<string>> {
    if (paths.length === 0) return new Set();
    const top = await this.open([]);
    if (top === null) return new Set();
    try {
      return await opaqueAmong(top, paths);
    } finally {
      await top.close();
    }
  }
}

async function foldersIn(folder: DirHandle, path: string): Promise<string[]> {
  const { names } = await sightingsIn(folder, path);
  return [...names].filter(([, type]) => type === 'directory').map(([name]) => below(path, name));
}
