import type { TreeSummary } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { Conflict } from '../problems/problems.js';
import type { Overlay } from './overlay.entity.js';
import { OverlayTrees } from './overlay-trees.js';

/**
 * How much is in drafts. Counting walks the whole draft, so the figures are kept until the draft is written to again, which every
 * process sees by the row's `draftChangedAt`.
 */
@Injectable()
export class DraftSummaries {
  private readonly known = new Map<number, { changedAt: number; summary: TreeSummary }>();

  constructor(private readonly trees: OverlayTrees) {}

  /** By overlay id; empty where the files are on another machine. */
  async of(overlays: readonly Overlay[]): Promise<Map<number, TreeSummary>> {
    const written = overlays.filter((overlay) => overlay.draftChangedAt !== null);
    const found = new Map<number, TreeSummary>();
    for (const overlay of written) {
      const summary = await this.summary(overlay.id, overlay.draftChangedAt?.getTime() ?? 0);
      if (summary === null) return new Map();
      found.set(overlay.id, summary);
    }
    return found;
  }

  private async summary(overlayId: number, changedAt: number): Promise<TreeSummary | null> {
    const known = this.known.get(overlayId);
    if (known?.changedAt === changedAt) return known.summary;
    try {
      const { files, tree } = await this.trees.draft(overlayId);
      const summary = await files.summary(tree);
      this.known.set(overlayId, { changedAt, summary });
      return summary;
    } catch (error) {
      if (error instanceof Conflict) return null;
      throw error;
    }
  }
}
