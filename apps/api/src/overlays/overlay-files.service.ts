import type { Readable } from 'node:stream';
import type { TreeEntry } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { BodyTooLarge, Conflict, NotFound } from '../problems/problems.js';
import { Announcements } from '../redis/announcements.js';
import { Overlays } from './overlays.service.js';
import { onTree, type OverlayTree, OverlayTrees } from './overlay-trees.js';

/** Bytes of one uploaded file. */
export const FILE_LIMIT = 2 * 1024 ** 3;

/** The files of an overlay's draft, changed. */
@Injectable()
export class OverlayFiles {
  /** Bytes of one file; tests lower it. */
  limit = FILE_LIMIT;

  constructor(
    private readonly database: DataSource,
    private readonly overlays: Overlays,
    private readonly trees: OverlayTrees,
    private readonly announcements: Announcements,
  ) {}

  /**
   * Writes one file of the draft, whole or not at all.
   * @param announced the length the sender gave, if it did
   */
  async write(me: Principal, id: number, path: string, body: Readable, announced: number | null): Promise<TreeEntry> {
    const { files, tree } = await this.toWrite(me, id);
    if (announced !== null && announced > this.limit) {
      throw new BodyTooLarge(`${path} is larger than the limit of ${this.limit} bytes.`);
    }
    const entry = await onTree(path, () => files.write(tree, path, body, this.limit));
    if (!(await this.changed(id))) {
      // Deleted during the upload; its files went before this one came.
      await files.destroy(tree);
      throw new NotFound(`overlay ${id}`);
    }
    return entry;
  }

  /** Removes a file, or a folder with all it holds, from the draft. */
  async remove(me: Principal, id: number, path: string): Promise<void> {
    const { files, tree } = await this.toWrite(me, id);
    await onTree(path, () => files.remove(tree, path));
    await this.changed(id);
  }

  /** A build that runs is copying the draft: what is written meanwhile would be half in the revision. */
  private async toWrite(me: Principal, id: number): Promise<OverlayTree> {
    const overlay = await this.overlays.getToChange(me, id);
    const [build] = await this.database.query<{ id: number }[]>(
      `SELECT id FROM jobs WHERE overlay_id = $1 AND operation = 'build-overlay' AND state IN ('running', 'cancelling') LIMIT 1`,
      [id],
    );
    if (build)
      throw new Conflict(
        `${overlay.name} is being built by job ${build.id}: its files can be changed when that has ended.`,
      );
    return this.trees.draft(id);
  }

  /** @returns false when the overlay is gone */
  private async changed(id: number): Promise<boolean> {
    // The database's clock, as for the builds it is compared with.
    const [, count] = await this.database.query<[unknown, number]>(
      `UPDATE overlays SET draft_changed_at = clock_timestamp() WHERE id = $1`,
      [id],
    );
    if (count > 0) this.announcements.publish({ topic: 'overlay', id });
    return count > 0;
  }
}
