import { Module } from '@nestjs/common';
import { OverlayTrees } from './overlay-trees.js';
import { PublishedFiles } from './published-files.js';

/** The files of overlays, without the routes: what generations need. */
@Module({
  providers: [OverlayTrees, PublishedFiles],
  exports: [OverlayTrees, PublishedFiles],
})
export class OverlayTreesModule {}
