import { join } from 'node:path';
import { numericId } from '../instances/names.js';
import { LayeredTree } from './layered-tree.js';
import type { MergedTree } from './merged-tree.js';

/**
 * The draft of an overlay, which may be missing and is empty then, or one of its revisions, to be read in pages and as a whole.
 * @param root LEFT4ME_ROOT
 */
export function openOverlayTree(root: string, overlay: number, revision: number | null): MergedTree {
  const id = numericId('overlay', overlay);
  const of = revision === null ? id : `${id}/${numericId('revision', revision)}`;
  return new LayeredTree([{ kind: 'overlay', of, folder: join(root, revision === null ? 'drafts' : 'overlays', of) }]);
}
