import type { Readable } from 'node:stream';
import type { Unpacked } from '../archive/unpack.js';

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

export interface ReadableFile {
  stream: Readable;
  /** Bytes. */
  size: number;
  /** ISO 8601, UTC. */
  modifiedAt: string;
  /** Quoted, strong: another one whenever the content may be another. */
  etag: string;
}

export interface WrittenFile extends TreeEntry {
  etag: string;
}

/** A folder that is changed in several steps. */
export interface Placing {
  mode: 'replace' | 'merge';
  /** In its tree. */
  path: string;
  /** The name beside the trees of what was there, until another one has its place (`replace`), or of what goes into it (`merge`). */
  aside: string;
}

export interface ChangeOptions {
  /**
   * Called around the short moment in which the tree itself changes; by default it just does. What a process that was killed in the
   * middle was placing has to be made whole (`makeWhole`) before anybody else reads or changes the tree.
   */
  swap?: <T>(change: () => Promise<T>, placing?: Placing) => Promise<T>;
}

export interface MoveOptions extends ChangeOptions {
  /** Whether a file may take the place of another one. */
  replace?: boolean;
  /** Whether the content of a folder may go into a folder that is there already. */
  merge?: boolean;
}

export interface PutOptions extends ChangeOptions {
  /** The ETag of the file that is to be replaced. Another one, or none: `Changed`. */
  ifMatch?: string;
  /** There must be no file of this path yet, else `Changed`. */
  ifNone?: boolean;
}

export interface UnpackOptions extends ChangeOptions {
  /** The folder it goes to, made where it is missing; '' is the whole tree. */
  target: string;
  /** `replace`: the folder holds what was unpacked and nothing else. `merge`: the other files in it stay. */
  mode: 'replace' | 'merge';
  signal?: AbortSignal;
  /** Told how many files were unpacked so far. */
  progress?: (files: number) => void;
}

/** What the game will not take as its author meant it; the file or folder stays as it is. */
export type TreeWarning =
  /** Lies where the game does not look. */
  | { kind: 'misplaced'; path: string; belongsTo: string }
  /** Sends the game into a crash loop. */
  | { kind: 'broken-vpk'; path: string; problem: string }
  /** Has more dots than the one before `vpk`, which the game does not take. */
  | { kind: 'vpk-name'; path: string }
  /** The game reads plain ASCII only; the first line that is not. */
  | { kind: 'non-ascii-cfg'; path: string; line: number };

/**
 * Path-safe access to the trees below one folder. Paths are relative and '/'-separated; `..`, absolute paths, empty
 * components, control characters and links on the way throw `PathRefused`, and nothing is written.
 * `tree` is `<overlay>` for drafts and `<overlay>/<revision>` for revisions.
 */
export interface FileTree {
  /** Directories first, then by name. The path '' is the tree itself, which may be missing (then empty). Throws `NotFound`. */
  list(tree: string, path: string): Promise<TreeEntry[]>;
  /** A regular file. Throws `NotFound`. The caller reads or destroys the stream. */
  open(tree: string, path: string): Promise<ReadableFile>;
  /** Makes parent folders, replaces a file in one step. Over the limit: `TooLarge`, and nothing is left. `DiskFull`, `Changed`. */
  write(tree: string, path: string, body: Readable, limitBytes: number, options?: PutOptions): Promise<WrittenFile>;
  /** As `write`, of a file on the same disk, which is moved here: a path of the caller's own. When it fails the file is still there. */
  put(tree: string, path: string, file: string, options?: PutOptions): Promise<WrittenFile>;
  /**
   * Unpacks an archive, a file of the caller's own, which stays. Throws `ArchiveRefused`, `DiskFull`, `TimedOut`, `Interrupted`,
   * `NotSupported` for want of a program, `PathRefused` where a file and a folder would meet; nothing is changed then.
   */
  unpack(tree: string, archive: string, options: UnpackOptions): Promise<Unpacked>;
  /**
   * Ends what a killed process was placing: puts back the folder that it had moved aside, or moves the rest into the one it merged. False
   * when there is nothing to do: nothing is aside, or the other folder has its place. May be repeated. Throws `PathRefused`.
   */
  makeWhole(tree: string, placing: Placing): Promise<boolean>;
  /** With its parents. Throws `Exists`. */
  makeFolder(tree: string, path: string, options?: ChangeOptions): Promise<void>;
  /** A file or a folder with all it holds; makes parent folders. Throws `NotFound`; `Exists` with what is in the way, and nothing is moved. */
  move(tree: string, from: string, to: string, options?: MoveOptions): Promise<void>;
  /** A file, a link, or a folder with all it holds. Throws `NotFound`. */
  remove(tree: string, path: string, options?: ChangeOptions): Promise<void>;
  /** Throws `PathRefused` where, as the tree is now, no file could be written, or no archive unpacked into a folder. */
  checkPlace(tree: string, path: string, kind: 'file' | 'folder'): Promise<void>;
  /** Reads the tree as it is asked for the next one. Throws `Interrupted`. */
  warnings(tree: string, signal?: AbortSignal): AsyncIterable<TreeWarning>;
  /** Throws `Interrupted`. */
  summary(tree: string, signal?: AbortSignal): Promise<TreeSummary>;
  /** Removes the tree. Missing: success. */
  destroy(tree: string): Promise<void>;
}
