import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RunningSettings } from '../config/settings.js';
import { HostLibrary } from '../hosts/host-library.js';
import { Announcements } from '../redis/announcements.js';
import { OverlayTrees } from './overlay-trees.js';
import { RemovedOverlay } from './removed-overlay.entity.js';

const EVERY_MS = 5 * 60_000;

/**
 * Removes the files of deleted overlays: drafts in the API, whose user they belong to, all else in the worker. What is to be removed is
 * in the rows of `removed_overlays`, which are looked at when the process starts, when an overlay is deleted, and every few minutes, so
 * neither a crash nor a lost announcement leaves anything. Nothing is removed for want of an overlay's row: with the wrong database that
 * would be all.
 */
@Injectable()
export class OverlayRemoval implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Overlays');
  private stopListening = (): void => undefined;
  private timer: NodeJS.Timeout | null = null;
  private removing: Promise<void> = Promise.resolve();

  constructor(
    private readonly settings: RunningSettings,
    private readonly database: DataSource,
    private readonly trees: OverlayTrees,
    private readonly announcements: Announcements,
    private readonly library: HostLibrary,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.trees.here) return;
    this.stopListening = this.announcements.on('overlay', ({ removed }) => {
      if (removed) void this.look();
    });
    this.timer = setInterval(() => void this.look(), EVERY_MS);
    void this.look();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopListening();
    if (this.timer) clearInterval(this.timer);
    await this.removing;
  }

  /** One look at what there is to remove, after the one that is under way. A failure is said; the next look tries again. */
  look(): Promise<void> {
    this.removing = this.removing.then(() => this.removeAll());
    return this.removing;
  }

  /** What the API has of an overlay that was deleted just now; the rest is left to `look`. */
  async removeDraft(overlayId: number): Promise<void> {
    try {
      await this.trees.removeDraft(overlayId);
    } catch (error) {
      this.logger.warn(`The draft of the deleted overlay ${overlayId} is still there: ${String(error)}`);
    }
  }

  private async removeAll(): Promise<void> {
    try {
      const rows = await this.database.getRepository(RemovedOverlay).find({ order: { overlayId: 'ASC' } });
      for (const { overlayId } of rows) await this.remove(overlayId);
    } catch (error) {
      this.logger.warn(`Files of deleted overlays could not be looked for: ${String(error)}`);
    }
  }

  private async remove(overlayId: number): Promise<void> {
    try {
      if (this.settings.apiEnabled) await this.trees.removeDraft(overlayId);
      if (this.settings.workerEnabled) await this.removePublished(overlayId);
      if (await this.trees.isGone(overlayId)) await this.database.getRepository(RemovedOverlay).delete({ overlayId });
    } catch (error) {
      this.logger.warn(`Files of the deleted overlay ${overlayId} are still there: ${String(error)}`);
    }
  }

  /** No row refers to it any more, but specifications on the disk may, which l4d2ctl has written. */
  private async removePublished(overlayId: number): Promise<void> {
    const host = await this.library.get();
    const used = [...(await host.revisionsInUse())].filter((revision) => revision.startsWith(`${overlayId}/`));
    if (used.length > 0) {
      throw new Error(`servers that were initialized without the panel have ${used.join(', ')}`);
    }
    // Each by rename: whoever refers to it from now on finds all of it or nothing.
    for (const number of await host.publishedRevisions(overlayId)) await host.removeRevision(overlayId, number);
    await this.trees.removePublished(overlayId);
  }
}
