import type { Layer, LayerName } from './layer.js';
import { nameOf } from './layer.js';
import type { Sighted } from './sightings.js';

/** A name as one layer has it. */
export interface Sighting {
  layer: Layer;
  type: Sighted;
}

/** What is seen of a name, and what is not because of it. */
export interface Merged<S extends Sighting> {
  seen: S;
  hides: LayerName[];
  /** A folder that goes on in layers below. */
  merged: boolean;
}

/**
 * What overlayfs makes of one name's sightings, topmost first: the topmost counts; folders merge down to the first thing that is no
 * folder, or to an opaque one. Null: hidden, or nothing that is shown.
 * @param opaque the topmost one is a folder that hides what is below
 */
export function mergeSightings<S extends Sighting>(sightings: readonly S[], opaque: boolean): Merged<S> | null {
  const [seen, ...below] = sightings;
  if (seen === undefined || seen.type === 'whiteout' || seen.type === 'other') return null;
  const hides: LayerName[] = [];
  let merges = seen.type === 'directory' && !opaque;
  let merged = false;
  for (const { layer, type } of below) {
    if (type === 'whiteout') {
      // What lies below that was hidden already.
      break;
    }
    if (merges && type === 'directory') {
      merged = true;
      continue;
    }
    merges = false;
    hides.push(nameOf(layer));
  }
  return { seen, hides, merged };
}
