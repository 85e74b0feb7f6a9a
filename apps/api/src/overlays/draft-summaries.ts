import type { TreeSummary } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import type { Overlay } from './overlay.entity.js';
import { OverlayTrees } from './overlay-trees.js';

const SETTLED_MS = 1000;

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
    const found = new Map<number, TreeSummary>();
    if (!this.trees.here) return found;
    for (const { id, draftChangedAt } of overlays) {
      if (draftChangedAt !== null) found.set(id, await this.summary(id, draftChangedAt.getTime()));
    }
    return found;
  }

  private async summary(overlayId: number, changedAt: number): Promise<TreeSummary> {
    const known = this.known.get(overlayId);
    if (known?.changedAt === changedAt) return known.summary;
    const { files, tree } = this.trees.draft(overlayId);
    const summary = await files.summary(tree);
    // Times are cut to milliseconds: another write may still come within the same one.
    if (Date.now() - changedAt > SETTLED_MS) this.known.set(overlayId, { changedAt, summary });
    return summary;
  }
}
