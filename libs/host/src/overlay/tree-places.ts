import { InvalidName, PathRefused } from '../errors.js';
import { DirHandle } from './dir-handle.js';
import { hasCode } from './durable.js';
import { pathParts } from './relative-path.js';

const TREE = /^[1-9][0-9]{0,9}(\/[1-9][0-9]{0,9})?$/;

/** Finds the folders of the trees below one folder, by handles and never through a link. */
export class TreePlaces {
  constructor(readonly folder: string) {}

  /** Null when it, or the tree, is missing. */
  async open(tree: string, parts: readonly string[], path: string): Promise<DirHandle | null> {
    let base: DirHandle;
    try {
      base = await DirHandle.open(this.folder);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    }
    try {
      return await base.descend([...treeParts(tree), ...parts]);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return null;
      if (error instanceof PathRefused) throw new PathRefused(path, error.problem);
      throw error;
    } finally {
      await base.close();
    }
  }

  /** The folder at the end of the way from the trees' own, made where it is missing; the caller closes it. */
  async make(parts: readonly string[], path: string): Promise<DirHandle> {
    const base = await DirHandle.open(this.folder);
    try {
      return await base.descend(parts, true);
    } catch (error) {
      throw error instanceof PathRefused ? new PathRefused(path, error.problem) : error;
    } finally {
      await base.close();
    }
  }
}

/** The parts of the way to a tree. Throws `InvalidName`. */
export function treeParts(tree: string): string[] {
  if (!TREE.test(tree)) throw new InvalidName('file tree', tree, '<overlay> or <overlay>/<revision>');
  return tree.split('/');
}

/** Throws `PathRefused`. */
export function split(path: string): { parents: string[]; name: string } {
  const parts = pathParts(path);
  const name = parts.pop();
  if (name === undefined) throw new PathRefused(path, 'the path is empty');
  return { parents: parts, name };
}
