/** Where a file of a tree comes from. */
export interface LayerName {
  /** `own`: the server wrote it itself. `generated`: initialize made it. */
  kind: 'own' | 'generated' | 'overlay' | 'game';
  /** `<overlay>/<revision>` of an overlay, the build of the game; null otherwise. */
  of: string | null;
}

/** One of the folders that a tree is made of. */
export interface Layer extends LayerName {
  /** Absolute. */
  folder: string;
}

/** One file, folder or link of a merged tree. */
export interface LayeredEntry {
  name: string;
  /** Below the tree, '/'-separated. */
  path: string;
  type: 'file' | 'directory' | 'link';
  /** Bytes; 0 for folders. */
  size: number;
  /** ISO 8601, UTC. */
  modifiedAt: string;
  /** Where a link points, as text; null for others. Nothing follows it. */
  target: string | null;
  /** The topmost layer that has it. */
  layer: LayerName;
  /** The layers whose entry of this name is not seen because of it. Folders merge, so they hide only what is no folder. */
  hides: LayerName[];
}

export interface PageRequest {
  limit: number;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
}

/** Folders first, then by name. */
export interface FolderPage {
  items: LayeredEntry[];
  /** Null at the end. */
  nextCursor: string | null;
  /** Entries that are not shown because their names are not UTF-8. */
  unreadableNames: number;
}

/** A layer's name, without where it is. */
export function nameOf({ kind, of }: LayerName): LayerName {
  return { kind, of };
}
