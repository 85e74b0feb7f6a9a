import { Module } from '@nestjs/common';
import { JobsModule } from '../jobs/jobs.module.js';
import { HostRemoval } from './host-removal.js';
import { HostViews } from './host-views.js';
import { HostWatch } from './host-watch.js';
import { HostsController } from './hosts.controller.js';

@Module({
  imports: [JobsModule],
  controllers: [HostsController],
  providers: [HostRemoval, HostViews, HostWatch],
  exports: [HostViews],
})
export class HostsModule {}
