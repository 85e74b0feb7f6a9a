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

/** A layer's name, without where it is. */
export function nameOf({ kind, of }: LayerName): LayerName {
  return { kind, of };
}

/** The path of a name in a folder; the folder '' is the tree itself. */
export function below(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}
