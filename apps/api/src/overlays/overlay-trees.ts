import path from 'node:path';
import { type FileTree, HostError, openTrees } from '@left4me/host';
import { HttpException, Injectable } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';
import { BodyTooLarge, Conflict, Invalid, NotFound } from '../problems/problems.js';

/** Where drafts and revisions are, for now: on this host alone. */
const HOST_OF_OVERLAYS = 'local';

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
  private readonly revisionsFolder: string;

  constructor(private readonly settings: RunningSettings) {
    this.drafts = openTrees(path.join(settings.root, 'drafts'));
    this.revisionsFolder = path.join(settings.root, 'overlays');
    this.published = openTrees(this.revisionsFolder, { readOnly: true });
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

  /** Removes the draft of an overlay that is gone. */
  async removeDraft(overlayId: number): Promise<void> {
    this.requireHere();
    await this.drafts.destroy(String(overlayId));
  }

  /** Removes all revisions of an overlay that is gone, which takes the worker's user: nothing may refer to it any more. */
  async removeRevisions(overlayId: number): Promise<void> {
    this.requireHere();
    await openTrees(this.revisionsFolder).destroy(String(overlayId));
  }

  get here(): boolean {
    return this.settings.host === HOST_OF_OVERLAYS;
  }

  private requireHere(): void {
    if (this.here) return;
    throw new Conflict(`The files of overlays are on the host ${HOST_OF_OVERLAYS}, which this process does not serve.`);
  }
}

/** Runs work on a tree; what the library refuses becomes an answer. */
export async function onTree<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isFull(error)) throw new HttpException('The disk is full: nothing was written.', 507, { cause: error });
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'path-refused') throw new Invalid([{ path: 'path', message: error.message }]);
    if (error.code === 'not-found') throw new NotFound(`file or folder ${file}`);
    if (error.code === 'too-large') throw new BodyTooLarge(`${file} is ${error.message}.`, { cause: error });
    throw error;
  }
}

function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
