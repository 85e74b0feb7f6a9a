import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.js';
import { TrashModule } from '../trash/trash.module.js';
import { GenerationsModule } from './generations.module.js';
import { ServerJobsController } from './server-jobs.controller.js';
import { ServerViews } from './server-views.js';
import { ServersController } from './servers.controller.js';
import { Servers } from './servers.service.js';

@Module({
  imports: [JobsModule, GenerationsModule, TrashModule],
  controllers: [ServersController, ServerJobsController],
  providers: [Servers, ServerViews],
  exports: [Servers, ServerViews],
})
export class ServersModule {}
