import { text } from 'node:stream/consumers';
import { HostError } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { Conflict } from '../problems/problems.js';
import { OverlayTrees } from './overlay-trees.js';

/** Bytes; a server.cfg is some kilobytes. */
const LIMIT = 1024 * 1024;

/** Small texts out of published revisions. */
@Injectable()
export class PublishedFiles {
  constructor(private readonly trees: OverlayTrees) {}

  /**
   * @returns null when the revision has no such file
   * @throws Conflict when it is no file, or too large to be a configuration
   */
  async text(overlayId: number, revision: number, path: string): Promise<string | null> {
    const { files, tree } = this.trees.revision(overlayId, revision);
    try {
      const { stream, size } = await files.open(tree, path);
      if (size > LIMIT) {
        stream.destroy();
        throw new Conflict(`${path} of overlay ${overlayId} is larger than ${LIMIT} bytes: that is no configuration.`);
      }
      return await text(stream);
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (error.code === 'not-found') return null;
      // A link, a folder, or a file on the way: revisions hold such.
      if (error.code === 'path-refused') throw new Conflict(`Of overlay ${overlayId}: ${error.message}.`);
      throw error;
    }
  }
}
