import { lstat, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import {
  ARCHIVE_LIMITS,
  differences,
  type Differences,
  type FileTree,
  HostError,
  type MergedTree,
  openOverlayTree,
  openTrees,
  receive,
  removeTree,
} from '@left4me/host';
import { HttpException, Injectable } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';
import { BodyTooLarge, Conflict, Invalid, NotFound } from '../problems/problems.js';

/** Where drafts and revisions are, for now: on this host alone. */
const HOST_OF_OVERLAYS = 'local';

/** Below LEFT4ME_ROOT, where the worker keeps what belongs to one overlay. */
const PLACES_OF_THE_WORKER = ['overlays', 'builds', 'cache/scripts', 'cache/script-runs', 'cache/script-tmp'];

/** One tree of files: a draft or a revision. */
export interface OverlayTree {
  files: FileTree;
  tree: string;
}

/** The files of overlays. Below LEFT4ME_ROOT, so that the API reaches them where the worker is a process of its own. */
@Injectable()
export class OverlayTrees {
  private readonly drafts: FileTree;
  private readonly published: FileTree;
  private readonly builds: FileTree;

  constructor(private readonly settings: RunningSettings) {
    this.drafts = openTrees(path.join(settings.root, 'drafts'));
    this.published = openTrees(path.join(settings.root, 'overlays'), { readOnly: true });
    this.builds = openTrees(path.join(settings.root, 'builds'), { readOnly: true });
  }

  /** @throws Conflict when this process is on another machine than the overlays */
  draft(overlayId: number): OverlayTree {
    this.requireHere();
    return { files: this.drafts, tree: String(overlayId) };
  }

  /** @throws Conflict when this process is on another machine than the overlays */
  revision(overlayId: number, number: number): OverlayTree {
    this.requireHere();
    return { files: this.published, tree: `${overlayId}/${number}` };
  }

  /** What a script has made and is to be published; the worker's. */
  build(overlayId: number): OverlayTree {
    this.requireHere();
    return { files: this.builds, tree: String(overlayId) };
  }

  /**
   * The draft, or a revision, to be read in pages and as a whole.
   * @throws Conflict when this process is on another machine than the overlays
   */
  toRead(overlayId: number, revision: number | null): MergedTree {
    this.requireHere();
    return openOverlayTree(this.settings.root, overlayId, revision);
  }

  /** Takes a body to a file beside the drafts; the caller discards it. Throws `TooLarge`, `DiskFull`. */
  async receive(body: Readable, limitBytes: number): Promise<string> {
    this.requireHere();
    return receive(path.join(this.settings.root, 'drafts'), body, limitBytes, ARCHIVE_LIMITS.reserveBytes);
  }

  async discard(received: string): Promise<void> {
    await rm(received, { force: true });
  }

  /** Removes the draft of an overlay that is gone. */
  async removeDraft(overlayId: number): Promise<void> {
    this.requireHere();
    await removeTree(this.folder('drafts', overlayId));
  }

  /** Removes what the worker has of an overlay that is gone, which takes its user: nothing may refer to it any more. */
  async removePublished(overlayId: number): Promise<void> {
    this.requireHere();
    for (const place of PLACES_OF_THE_WORKER) await removeTree(this.folder(place, overlayId));
  }

  /** Whether nothing of an overlay is left. Of what this process may not look into: whether it told of nothing. */
  async isGone(overlayId: number): Promise<boolean> {
    for (const place of ['drafts', ...PLACES_OF_THE_WORKER]) {
      const looked = await lstat(this.folder(place, overlayId)).catch((error: unknown) => error);
      if (!(looked instanceof Error) || !('code' in looked) || looked.code !== 'ENOENT') return false;
    }
    return true;
  }

  /** What changes from one revision to another, or to the draft. @throws Conflict when the files are on another machine */
  async differences(
    overlayId: number,
    from: number,
    to: number | 'draft',
    page: { limit: number; behind?: string; timeLimitMs: number; longestMs: number; signal: AbortSignal },
  ): Promise<Differences> {
    this.requireHere();
    const revision = (number: number): string => path.join(this.folder('overlays', overlayId), String(number));
    const after = to === 'draft' ? { draft: this.folder('drafts', overlayId) } : { revision: revision(to) };
    return differences({ before: revision(from), after, ...page });
  }

  get here(): boolean {
    return this.settings.host === HOST_OF_OVERLAYS;
  }

  private folder(place: string, overlayId: number): string {
    return path.join(this.settings.root, place, String(overlayId));
  }

  private requireHere(): void {
    if (this.here) return;
    throw new Conflict(`The files of overlays are on the host ${HOST_OF_OVERLAYS}, which this process does not serve.`);
  }
}

const statuses: Readonly<Record<string, number>> = {
  changed: 412,
  'archive-refused': 422,
  'timed-out': 422,
  'not-supported': 501,
  interrupted: 503,
  'disk-full': 507,
};

/**
 * Runs work on a tree; what the library refuses becomes an answer.
 * @param field of the request, that has the path
 */
export async function onTree<T>(file: string, work: () => Promise<T>, field = 'path'): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFull(error)) throw new HttpException('The disk is full: nothing was written.', 507, { cause: error });
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'path-refused') throw new Invalid([{ path: field, message: error.message }]);
    if (error.code === 'bad-cursor') throw new Invalid([{ path: 'cursor', message: error.message }]);
    if (error.code === 'not-found') throw new NotFound(`file or folder ${file}`);
    if (error.code === 'too-large') throw new BodyTooLarge(`${file} is ${error.message}.`, { cause: error });
    if (error.code === 'exists') throw new Conflict(`There is something in the way: ${error.message}.`);
    const status = statuses[error.code];
    if (status !== undefined) throw new HttpException(sentence(error.message), status, { cause: error });
    throw error;
  }
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
