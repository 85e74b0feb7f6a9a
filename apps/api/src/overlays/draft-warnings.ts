import type { TreeWarning } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import type { Principal } from '../auth/access.js';
import { Overlays } from './overlays.service.js';
import { onTree, OverlayTrees } from './overlay-trees.js';
import { SharedLooks } from './shared-looks.js';

const MAX_WARNINGS = 100;
const SETTLED_MS = 1000;
const LONGEST_MS = 10_000;

export interface FoundWarnings {
  items: TreeWarning[];
  /** There are more. */
  more: boolean;
}

/** What the game will not take as its author meant it, in drafts. Kept until the draft is changed, since finding it reads the draft. */
@Injectable()
export class DraftWarnings {
  private readonly known = new Map<number, { changedAt: number; found: FoundWarnings }>();
  private readonly looks = new SharedLooks<FoundWarnings>('Looking at the files of the draft', LONGEST_MS);

  constructor(
    private readonly overlays: Overlays,
    private readonly trees: OverlayTrees,
  ) {}

  /** @param gone aborts when the caller does not wait any more */
  async of(me: Principal, id: number, gone: AbortSignal): Promise<FoundWarnings> {
    const { draftChangedAt } = await this.overlays.get(me, id);
    const changedAt = draftChangedAt?.getTime() ?? 0;
    const known = this.known.get(id);
    if (known?.changedAt === changedAt) return known.found;
    const look = (signal: AbortSignal): Promise<FoundWarnings> => this.look(id, signal);
    const found = await onTree('the draft', () => this.looks.at(`${id} ${changedAt}`, gone, look));
    // Times are cut to milliseconds: another change may still come within the same one.
    if (Date.now() - changedAt > SETTLED_MS) this.known.set(id, { changedAt, found });
    return found;
  }

  private async look(id: number, signal: AbortSignal): Promise<FoundWarnings> {
    const { files, tree } = this.trees.draft(id);
    const items: TreeWarning[] = [];
    for await (const warning of files.warnings(tree, signal)) {
      if (items.length === MAX_WARNINGS) return { items, more: true };
      items.push(warning);
    }
    return { items, more: false };
  }
}
