import { NotFound, PathRefused } from '../errors.js';
import { DirHandle } from '../overlay/dir-handle.js';
import { hasCode } from '../overlay/durable.js';
import type { Layer } from './layer.js';
import { sightingOf } from './sightings.js';

/** A folder of one layer, open. */
export interface OpenLayer {
  layer: Layer;
  folder: DirHandle;
}

/** What decides how far down a merged folder reaches. */
export interface MergeRules {
  /** Paths that no overlay and not the game shows. */
  hidden: ReadonlySet<string>;
  /** Folders of the topmost layer that hide what is below. */
  opaque: ReadonlySet<string>;
}

/** The folder of each layer that together are the merged folder at this path, topmost first. The caller closes them. */
export async function openLayers(
  layers: readonly Layer[],
  parts: readonly string[],
  rules: MergeRules,
): Promise<OpenLayer[]> {
  let here = await openTops(layers);
  for (const [depth, name] of parts.entries()) {
    const above = here;
    try {
      here = await stepDown(above, name, parts.slice(0, depth + 1).join('/'), rules);
    } finally {
      await closeLayers(above);
    }
  }
  return here;
}

export async function closeLayers(open: readonly OpenLayer[]): Promise<void> {
  for (const { folder } of open) await folder.close();
}

/** Whether a path of this layer is taken away from the tree: what initialize generates is not. */
export function isHidden(layer: Layer, path: string, { hidden }: MergeRules): boolean {
  return (layer.kind === 'overlay' || layer.kind === 'game') && hidden.has(path);
}

async function openTops(layers: readonly Layer[]): Promise<OpenLayer[]> {
  const open: OpenLayer[] = [];
  try {
    for (const layer of layers) {
      const folder = await unlessMissing(DirHandle.open(layer.folder));
      if (folder !== null) open.push({ layer, folder });
    }
    return open;
  } catch (error) {
    await closeLayers(open);
    throw error;
  }
}

async function stepDown(
  above: readonly OpenLayer[],
  name: string,
  path: string,
  rules: MergeRules,
): Promise<OpenLayer[]> {
  const found: OpenLayer[] = [];
  try {
    for (const { layer, folder } of above) {
      if (isHidden(layer, path, rules)) break;
      const type = await sightingOf(folder, name);
      if (type === null) continue;
      if (type !== 'directory') {
        if (found.length === 0 && type !== 'whiteout') throw new PathRefused(path, `is not a folder, but a ${type}`);
        break;
      }
      const child = await unlessMissing(folder.child(name));
      if (child !== null) found.push({ layer, folder: child });
      if (layer.kind === 'own' && rules.opaque.has(path)) break;
    }
    if (found.length === 0) throw new NotFound(path);
    return found;
  } catch (error) {
    await closeLayers(found);
    throw error;
  }
}

async function unlessMissing(opening: Promise<DirHandle>): Promise<DirHandle | null> {
  try {
    return await opening;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}
