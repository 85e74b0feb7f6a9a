import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.js';
import { DraftSummaries } from './draft-summaries.js';
import { OverlayFilesController } from './overlay-files.controller.js';
import { OverlayFiles } from './overlay-files.service.js';
import { OverlayTreesModule } from './overlay-trees.module.js';
import { OverlayViews } from './overlay-views.js';
import { OverlaysController } from './overlays.controller.js';
import { Overlays } from './overlays.service.js';
import { RevisionRemoval } from './revision-removal.js';

@Module({
  imports: [JobsModule, OverlayTreesModule],
  controllers: [OverlaysController, OverlayFilesController],
  providers: [Overlays, OverlayFiles, OverlayViews, DraftSummaries, RevisionRemoval],
  exports: [Overlays, OverlayViews],
})
export class OverlaysModule {}
