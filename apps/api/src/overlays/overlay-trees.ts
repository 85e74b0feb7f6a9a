import { type FileTree, type Host, HostError } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { RunningSettings } from '../config/settings.js';
import { HostLibrary } from '../hosts/host-library.js';
import { BodyTooLarge, Conflict, Invalid, NotFound } from '../problems/problems.js';

/** Where drafts and revisions are, for now: on this host alone. */
const HOST_OF_OVERLAYS = 'local';

/** One tree of files: a draft or a revision. */
export interface OverlayTree {
  files: FileTree;
  tree: string;
}

/** The files of overlays on this machine. */
@Injectable()
export class OverlayTrees {
  constructor(
    private readonly library: HostLibrary,
    private readonly settings: RunningSettings,
  ) {}

  /** @throws Conflict when this process is on another machine than the overlays */
  async host(): Promise<Host> {
    if (this.settings.host !== HOST_OF_OVERLAYS) {
      throw new Conflict(
        `The files of overlays are on the host ${HOST_OF_OVERLAYS}, which this process does not serve.`,
      );
    }
    try {
      return await this.library.get();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      throw new Conflict(`The files of overlays cannot be reached from here: ${error.message}.`, { cause: error });
    }
  }

  async draft(overlayId: number): Promise<OverlayTree> {
    return { files: (await this.host()).drafts, tree: String(overlayId) };
  }

  async revision(overlayId: number, number: number): Promise<OverlayTree> {
    return { files: (await this.host()).revisions, tree: `${overlayId}/${number}` };
  }
}

/** Runs work on a tree; what the library refuses becomes an answer. */
export async function onTree<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
    if (error.code === 'path-refused') throw new Invalid([{ path: 'path', message: error.message }]);
    if (error.code === 'not-found') throw new NotFound(`file or folder ${path}`);
    if (error.code === 'too-large') throw new BodyTooLarge(`${path} is ${error.message}.`, { cause: error });
    throw error;
  }
}
