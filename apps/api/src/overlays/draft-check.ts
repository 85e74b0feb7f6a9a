import { BrokenVpks, type Run } from '@left4me/host';
import { Injectable } from '@nestjs/common';
import { DraftLeases } from './draft-leases.js';
import { type OverlayTree, OverlayTrees } from './overlay-trees.js';

const NAMED = 10;

/** What a build does before it copies a draft, or what a script has made. */
@Injectable()
export class DraftCheck {
  constructor(
    private readonly leases: DraftLeases,
    private readonly trees: OverlayTrees,
  ) {}

  /**
   * Waits until nobody changes the draft, and looks for what would harm a server.
   * @throws BrokenVpks: one of them sends the game into a crash loop
   */
  async ready(overlayId: number, run: Run): Promise<void> {
    await this.leases.none(overlayId, run);
    await requireSoundVpks(this.trees.draft(overlayId), run);
  }

  /** Looks at what a script has made. @throws BrokenVpks as `ready` does */
  async built(overlayId: number, run: Run): Promise<void> {
    await requireSoundVpks(this.trees.build(overlayId), run);
  }
}

async function requireSoundVpks({ files, tree }: OverlayTree, run: Run): Promise<void> {
  const broken: string[] = [];
  for await (const warning of files.warnings(tree, run.signal)) {
    if (warning.kind !== 'broken-vpk') continue;
    await run.output.write('stderr', `${JSON.stringify(warning.path)} cannot be read by the game: ${warning.problem}`);
    broken.push(warning.path);
    if (broken.length === NAMED) break;
  }
  if (broken.length > 0) throw new BrokenVpks(broken);
}
