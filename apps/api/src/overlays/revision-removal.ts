import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RunningSettings } from '../config/settings.js';
import { Announcements } from '../redis/announcements.js';
import { Overlay } from './overlay.entity.js';
import { OverlayTrees } from './overlay-trees.js';

/**
 * Removes the revisions of deleted overlays, in the worker: the API may be a user who writes drafts only. Overlays whose deletion was
 * not heard leave folders that nobody refers to. Nothing is removed for want of a row alone: with the wrong database that is all.
 */
@Injectable()
export class RevisionRemoval implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Overlays');
  private stopListening = (): void => undefined;
  private removing: Promise<void> = Promise.resolve();

  constructor(
    private readonly settings: RunningSettings,
    private readonly database: DataSource,
    private readonly trees: OverlayTrees,
    private readonly announcements: Announcements,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.settings.workerEnabled || !this.trees.here) return;
    this.stopListening = this.announcements.on('overlay', ({ id, removed }) => {
      if (removed) this.removing = this.removing.then(() => this.remove(id));
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopListening();
    await this.removing;
  }

  private async remove(id: number): Promise<void> {
    try {
      if (await this.database.getRepository(Overlay).existsBy({ id })) return;
      await this.trees.removeRevisions(id);
    } catch (error) {
      this.logger.warn(`Revisions of the deleted overlay ${id} are still there: ${String(error)}`);
    }
  }
}
