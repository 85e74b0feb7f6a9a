import type { Host, Run } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RunningSettings } from '../config/settings.js';
import { violatesReference } from '../database/violations.js';
import { OverlayRevision } from './revision.entity.js';

/** Removes revisions that nothing needs any more, as the last part of a build. */
@Injectable()
export class RevisionCollection {
  constructor(
    private readonly settings: RunningSettings,
    private readonly database: DataSource,
  ) {}

  /**
   * Kept are the current revision, the newest ones (a setting), and each that a generation pins, by its row or by a specification on
   * the disk, which l4d2ctl may have written. What was published stays so whatever happens here: a failure is said in the job's log,
   * and the next build tries again.
   * @param next the number that the build gave, or would have given, its revision; folders from it on are not looked at
   */
  async collect(overlayId: number, next: number, host: Host, run: Run): Promise<void> {
    try {
      for (const number of await this.candidates(overlayId)) await this.removeOne(overlayId, number, host, run);
      await this.removeLeftovers(overlayId, next, host);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      await run.output.write('stderr', `Old revisions were not removed, the next build tries again: ${why}`);
    }
  }

  private async candidates(overlayId: number): Promise<number[]> {
    const rows = await this.database.query<{ number: number }[]>(
      `SELECT number FROM (SELECT id, number, current FROM overlay_revisions WHERE overlay_id = $1 ORDER BY number DESC OFFSET $2) older
       WHERE NOT current AND NOT EXISTS (SELECT 1 FROM generation_revisions WHERE revision_id = older.id) ORDER BY number`,
      [overlayId, this.settings.keptRevisions],
    );
    return rows.map(({ number }) => number);
  }

  private async removeOne(overlayId: number, number: number, host: Host, run: Run): Promise<void> {
    if ((await host.revisionsInUse()).has(`${overlayId}/${number}`)) return;
    if (!(await this.forget(overlayId, number))) return;
    // Nobody can come by it any more but l4d2ctl, whose specifications name folders.
    if ((await host.revisionsInUse()).has(`${overlayId}/${number}`)) return;
    await host.removeRevision(overlayId, number);
    await run.output.write('stdout', `Revision ${number} is removed: no server uses it.`);
  }

  /** @returns false when it is in use after all: its pins are foreign keys */
  private async forget(overlayId: number, number: number): Promise<boolean> {
    try {
      const { affected } = await this.database
        .getRepository(OverlayRevision)
        .delete({ overlayId, number, current: false });
      return affected === 1;
    } catch (error) {
      if (violatesReference(error)) return false;
      throw error;
    }
  }

  /** Folders whose row is gone: a collection was cut before it came to them. */
  private async removeLeftovers(overlayId: number, next: number, host: Host): Promise<void> {
    const older = (await host.publishedRevisions(overlayId)).filter((number) => number < next);
    if (older.length === 0) return;
    const rows = await this.database
      .getRepository(OverlayRevision)
      .find({ select: { number: true }, where: { overlayId } });
    const known = new Set(rows.map(({ number }) => number));
    const leftovers = older.filter((number) => !known.has(number));
    if (leftovers.length === 0) return;
    const used = await host.revisionsInUse();
    for (const number of leftovers) {
      if (!used.has(`${overlayId}/${number}`)) await host.removeRevision(overlayId, number);
    }
  }
}
