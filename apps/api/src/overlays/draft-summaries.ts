import { Interrupted, Places, type TreeSummary, timeLimit } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { Unavailable } from '../problems/problems.js';
import type { Overlay } from './overlay.entity.js';
import { OverlayTrees } from './overlay-trees.js';
import { SharedLooks } from './shared-looks.js';

const SETTLED_MS = 1000;
/** For all that one request asks for. */
const LONGEST_MS = 5000;
const AT_ONCE = 4;
/** Counting that took this long in vain is not tried again for a while; it may just have begun late. */
const LONG_MS = LONGEST_MS / 2;
const NOT_AGAIN_MS = 60_000;

interface Known {
  changedAt: number;
  summary: TreeSummary | null;
  until: number;
}

/**
 * How much is in drafts. Counting walks the whole draft, so the figures are kept until the draft is written to again, which every
 * process sees by the row's `draftChangedAt`.
 */
@Injectable()
export class DraftSummaries {
  private readonly known = new Map<number, Known>();
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
    const places = new Places(AT_ONCE, 'counting the files of drafts');
    const count = async ({ id, draftChangedAt }: Overlay): Promise<void> => {
      if (draftChangedAt === null) return;
      found.set(id, await this.summaryIfSoon(id, draftChangedAt.getTime(), places, signal, gone));
    };
    await Promise.all(overlays.map(count));
    return found;
  }

  private async summaryIfSoon(
    overlayId: number,
    changedAt: number,
    places: Places,
    signal: AbortSignal,
    gone?: AbortSignal,
  ): Promise<TreeSummary | null> {
    const known = this.known.get(overlayId);
    if (known?.changedAt === changedAt && Date.now() < known.until) return known.summary;
    const { files, tree } = this.trees.draft(overlayId);
    let begun = Number.POSITIVE_INFINITY;
    const look = (): Promise<TreeSummary> => {
      begun = Date.now();
      return this.looks.at(`${overlayId} ${changedAt}`, signal, (ends) => files.summary(tree, ends));
    };
    try {
      const summary = await places.hold(look, signal);
      // Times are cut to milliseconds: another write may still come within the same one.
      if (Date.now() - changedAt > SETTLED_MS) {
        this.known.set(overlayId, { changedAt, summary, until: Number.POSITIVE_INFINITY });
      }
      return summary;
    } catch (error) {
      if (!(error instanceof Unavailable || error instanceof Interrupted)) throw error;
      if (gone?.aborted !== true && Date.now() - begun >= LONG_MS) {
        this.known.set(overlayId, { changedAt, summary: null, until: Date.now() + NOT_AGAIN_MS });
      }
      return null;
    }
  }
}
