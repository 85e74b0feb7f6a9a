import type { TreeWarning } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import type { Principal } from '../auth/access.js';
import { Overlays } from './overlays.service.js';
import { onTree, OverlayTrees } from './overlay-trees.js';

const MAX_WARNINGS = 100;
const SETTLED_MS = 1000;

export interface FoundWarnings {
  items: TreeWarning[];
  /** There are more. */
  more: boolean;
}

/** What the game will not take as its author meant it, in drafts. Kept until the draft is changed, since finding it reads the draft. */
@Injectable()
export class DraftWarnings {
  private readonly known = new Map<number, { changedAt: number; found: FoundWarnings }>();

  constructor(
    private readonly overlays: Overlays,
    private readonly trees: OverlayTrees,
  ) {}

  async of(me: Principal, id: number): Promise<FoundWarnings> {
    const { draftChangedAt } = await this.overlays.get(me, id);
    const changedAt = draftChangedAt?.getTime() ?? 0;
    const known = this.known.get(id);
    if (known?.changedAt === changedAt) return known.found;
    const found = await onTree('the draft', () => this.look(id));
    // Times are cut to milliseconds: another change may still come within the same one.
    if (Date.now() - changedAt > SETTLED_MS) this.known.set(id, { changedAt, found });
    return found;
  }

  private async look(id: number): Promise<FoundWarnings> {
    const { files, tree } = this.trees.draft(id);
    const items: TreeWarning[] = [];
    for await (const warning of files.warnings(tree)) {
      if (items.length === MAX_WARNINGS) return { items, more: true };
      items.push(warning);
    }
    return { items, more: false };
  }
}
