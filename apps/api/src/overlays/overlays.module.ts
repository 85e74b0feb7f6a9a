import { Module } from '@nestjs/common';
import { DownloadsModule } from '../downloads/downloads.module.js';
import { HostLibraryModule } from '../hosts/host-library.module.js';
import { JobsModule } from '../jobs/jobs.module.js';
import { DraftController } from './draft.controller.js';
import { DraftSummaries } from './draft-summaries.js';
import { DraftUploadsController } from './draft-uploads.controller.js';
import { DraftUploads } from './draft-uploads.service.js';
import { DraftWarnings } from './draft-warnings.js';
import { OverlayFilesController } from './overlay-files.controller.js';
import { OverlayFiles } from './overlay-files.service.js';
import { OverlayReadingController } from './overlay-reading.controller.js';
import { OverlayReading } from './overlay-reading.js';
import { OverlayTreesModule } from './overlay-trees.module.js';
import { OverlayViews } from './overlay-views.js';
import { OverlaysController } from './overlays.controller.js';
import { Overlays } from './overlays.service.js';
import { OverlayRemoval } from './overlay-removal.js';
import { RevisionsController } from './revisions.controller.js';
import { Revisions } from './revisions.service.js';

@Module({
  imports: [DownloadsModule, HostLibraryModule, JobsModule, OverlayTreesModule],
  controllers: [
    OverlaysController,
    OverlayFilesController,
    OverlayReadingController,
    DraftController,
    DraftUploadsController,
    RevisionsController,
  ],
  providers: [
    Overlays,
    OverlayFiles,
    OverlayReading,
    OverlayViews,
    DraftSummaries,
    DraftUploads,
    DraftWarnings,
    OverlayRemoval,
    Revisions,
  ],
  exports: [Overlays, OverlayViews],
})
export class OverlaysModule {}
