import { Module } from '@nestjs/common';
import { HostLibraryModule } from '../hosts/host-library.module.js';
import { OverlayTrees } from './overlay-trees.js';
import { PublishedFiles } from './published-files.js';

/** The files of overlays, without the routes: what generations need. */
@Module({
  imports: [HostLibraryModule],
  providers: [OverlayTrees, PublishedFiles],
  exports: [OverlayTrees, PublishedFiles],
})
export class OverlayTreesModule {}
