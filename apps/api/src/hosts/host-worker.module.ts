import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.js';
import { BuildOverlayHandler } from '../jobs/operations/build-overlay.js';
import { InstallHandler } from '../jobs/operations/install.js';
import { ServerOperationsHandler } from '../jobs/operations/server-operations.js';
import { JobRows } from '../jobs/worker/job-rows.js';
import { type OperationHandler, OperationHandlers } from '../jobs/worker/operation-handler.js';
import { LogsModule } from '../logs/logs.module.js';
import { ServerLogFeed } from '../logs/server-log-feed.js';
import { OverlayTreesModule } from '../overlays/overlay-trees.module.js';
import { GenerationsModule } from '../servers/generations.module.js';
import { RevisionCollection } from '../overlays/revision-collection.js';
import { ServerFileWorker } from '../server-files/server-file-worker.js';
import { ScriptRuns } from '../scripts/script-runs.js';
import { StatesModule } from '../states/states.module.js';
import { TrashKeeper } from '../trash/trash-keeper.js';
import { TrashRows } from '../trash/trash-rows.js';
import { WorkshopRecordsModule } from '../workshop/workshop-records.module.js';
import { HostLibraryModule } from './host-library.module.js';
import { HostPresence } from './host-presence.js';
import { HostWorker } from './host-worker.js';
import { NewestBuildWatch } from './newest-build-watch.js';

const handlers = [InstallHandler, BuildOverlayHandler, ServerOperationsHandler];
const operationHandlers = {
  provide: OperationHandlers,
  inject: handlers,
  useFactory: (...given: OperationHandler[]) => new OperationHandlers(given),
};

/** Everything that runs jobs and watches servers on this machine. */
@Module({
  imports: [
    JobsModule,
    OverlayTreesModule,
    GenerationsModule,
    StatesModule,
    LogsModule,
    HostLibraryModule,
    WorkshopRecordsModule,
  ],
  providers: [
    ...handlers,
    operationHandlers,
    RevisionCollection,
    ScriptRuns,
    JobRows,
    ServerLogFeed,
    HostPresence,
    NewestBuildWatch,
    TrashRows,
    TrashKeeper,
    ServerFileWorker,
    HostWorker,
  ],
})
export class HostWorkerModule {}
