import type { LinkedFile, Run } from '../host.js';

/** An item or a collection of the Steam Workshop, as Steam describes it now. */
export interface WorkshopFile {
  /** Steam's published file id: up to 20 digits. */
  id: string;
  /** Null when Steam does not say. */
  kind: 'item' | 'collection' | null;
  title: string | null;
  /** Of an item's file. */
  bytes: number | null;
  previewUrl: string | null;
  /** When its author last changed it; ISO 8601, UTC. */
  updatedAt: string | null;
  /** Changes with its content; digits and `-`. Null without a file. */
  version: string | null;
  fileUrl: string | null;
  /** Of a collection: the ids of what is in it. */
  members: string[];
  /** Why it cannot be had, as a sentence's end; null when it can. */
  problem: string | null;
  /** The problem is Steam's for now, not the item's: it may be had a minute later. */
  temporary: boolean;
}

/** An item that can be downloaded. */
export interface WantedItem {
  id: string;
  title: string | null;
  version: string;
  bytes: number;
  fileUrl: string;
  /** What its file is called below left4dead2/addons/. */
  fileName: string;
}

export interface FetchedItems {
  /** To be published; each shares its disk blocks with the cache. */
  files: LinkedFile[];
  /** What cannot be had whatever is tried, and why. */
  unavailable: { id: string; problem: string }[];
}

/** The items of the Steam Workshop on this machine. */
export interface Workshop {
  /**
   * What Steam says of these and of everything that is in them, each once, whatever leads to what.
   * Throws `SteamAway`, `WorkshopFailed` (too many, too deep), `Interrupted`.
   */
  lookUp(ids: readonly string[], run: Run): Promise<WorkshopFile[]>;
  /**
   * Has every item in the cache: whole, of the right size and a sound VPK. What an interrupted call has left is continued.
   * Throws `WorkshopFailed` when the disk has no room or when something may work later, `Interrupted`.
   */
  fetch(items: readonly WantedItem[], run: Run): Promise<FetchedItems>;
  /** Removes cached files that no revision shares and that no build has asked for in a month. Says which. */
  collect(run: Run): Promise<void>;
}
