import type { FileHandle } from 'node:fs/promises';
import type { LayerName } from './layer.js';

/** One file, folder or link of a merged tree. Devices, sockets and the like are not shown. */
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
  /** A folder that layers below have as well: what they have in it is seen together. */
  merged: boolean;
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

/** A file that is open for reading; the caller closes it. */
export interface OpenedFile {
  file: FileHandle;
  size: number;
  /** ISO 8601, UTC. */
  modifiedAt: string;
  /** Quoted, strong: another one whenever the content may be another. */
  etag: string;
  layer: LayerName;
  /** Another file has another one; what is written to a file keeps it. */
  identity: string;
}

/** What a walk cannot give. */
export interface LeftOut {
  path: string;
  why: string;
}

/** A tree of layers, for reading. Paths are relative and '/'-separated; `PathRefused` for those that lead elsewhere, or `NotFound`. */
export interface MergedTree {
  /** One page of a folder; '' is the tree itself. Throws HostError `bad-cursor`. */
  list(path: string, request: PageRequest): Promise<FolderPage>;
  /** One file, folder or link; null when it is not there, or hidden. */
  entry(path: string): Promise<LayeredEntry | null>;
  /** A regular file. */
  open(path: string): Promise<OpenedFile>;
  /** Everything below a folder, folders before what is in them. What goes meanwhile is passed over. Throws the signal's reason. */
  walk(path: string, signal?: AbortSignal): AsyncIterable<LayeredEntry | LeftOut>;
}
