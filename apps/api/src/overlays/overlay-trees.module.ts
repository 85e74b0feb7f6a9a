import { Module } from '@nestjs/common';
import { DraftCheck } from './draft-check.js';
import { DraftHealing } from './draft-healing.js';
import { DraftLeases } from './draft-leases.js';
import { OverlayTrees } from './overlay-trees.js';
import { PublishedFiles } from './published-files.js';

/** The files of overlays, without the routes: what generations need. */
@Module({
  providers: [DraftCheck, DraftHealing, DraftLeases, OverlayTrees, PublishedFiles],
  exports: [DraftCheck, DraftLeases, OverlayTrees, PublishedFiles],
})
export class OverlayTreesModule {}
