import { Interrupted, type TreeSummary, timeLimit } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { Unavailable } from '../problems/problems.js';
import type { Overlay } from './overlay.entity.js';
import { OverlayTrees } from './overlay-trees.js';
import { SharedLooks } from './shared-looks.js';

const SETTLED_MS = 1000;
/** For all that one request asks for. */
const LONGEST_MS = 5000;

/**
 * How much is in drafts. Counting walks the whole draft, so the figures are kept until the draft is written to again, which every
 * process sees by the row's `draftChangedAt`.
 */
@Injectable()
export class DraftSummaries {
  private readonly known = new Map<number, { changedAt: number; summary: TreeSummary }>();
  private readonly looks = new SharedLooks<TreeSummary>('Counting the files of the draft', LONGEST_MS);

  constructor(private readonly trees: OverlayTrees) {}

  /**
   * By overlay id. Null where counting takes too long; not there where nothing was written, or the files are on another machine.
   * @param gone aborts when the caller does not wait any more
   */
  async of(overlays: readonly Overlay[], gone?: AbortSignal): Promise<Map<number, TreeSummary | null>> {
    const found = new Map<number, TreeSummary | null>();
    if (!this.trees.here) return found;
    const limit = timeLimit(LONGEST_MS);
    const signal = gone ? AbortSignal.any([gone, limit]) : limit;
    for (const { id, draftChangedAt } of overlays) {
      if (draftChangedAt !== null) found.set(id, await this.summaryIfSoon(id, draftChangedAt.getTime(), signal));
    }
    return found;
  }

  private async summaryIfSoon(overlayId: number, changedAt: number, signal: AbortSignal): Promise<TreeSummary | null> {
    const known = this.known.get(overlayId);
    if (known?.changedAt === changedAt) return known.summary;
    const { files, tree } = this.trees.draft(overlayId);
    try {
      const summary = await this.looks.at(`${overlayId} ${changedAt}`, signal, (ends) => files.summary(tree, ends));
      // Times are cut to milliseconds: another write may still come within the same one.
      if (Date.now() - changedAt > SETTLED_MS) this.known.set(overlayId, { changedAt, summary });
      return summary;
    } catch (error) {
      if (error instanceof Unavailable || error instanceof Interrupted) return null;
      throw error;
    }
  }
}
