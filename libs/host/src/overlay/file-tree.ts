import type { Readable } from 'node:stream';

/** One file, folder or link. Devices, sockets and the like are not shown. */
export interface TreeEntry {
  name: string;
  /** Below the tree, '/'-separated. */
  path: string;
  type: 'file' | 'directory' | 'link';
  /** Bytes; 0 for folders. */
  size: number;
  /** ISO 8601, UTC. */
  modifiedAt: string;
}

export interface TreeSummary {
  files: number;
  bytes: number;
  /** The latest change of a file or folder in it; null when the tree does not exist. */
  modifiedAt: string | null;
}

/**
 * Path-safe access to the trees below one folder. Paths are relative and '/'-separated; `..`, absolute paths, empty
 * components, control characters and links on the way throw `PathRefused`, and nothing is written.
 * `tree` is `<overlay>` for drafts and `<overlay>/<revision>` for revisions.
 */
export interface FileTree {
  /** Directories first, then by name. The path '' is the tree itself, which may be missing (then empty). Throws `NotFound`. */
  list(tree: string, path: string): Promise<TreeEntry[]>;
  /** A regular file. Throws `NotFound`. The caller reads or destroys the stream. */
  open(tree: string, path: string): Promise<{ stream: Readable; size: number; modifiedAt: string }>;
  /** Makes parent folders, replaces a file in one step. Over the limit: `TooLarge`, and nothing is left. */
  write(tree: string, path: string, body: Readable, limitBytes: number): Promise<TreeEntry>;
  /** A file, a link, or a folder with all it holds. Throws `NotFound`. */
  remove(tree: string, path: string): Promise<void>;
  summary(tree: string): Promise<TreeSummary>;
  /** Removes the tree. Missing: success. */
  destroy(tree: string): Promise<void>;
}
