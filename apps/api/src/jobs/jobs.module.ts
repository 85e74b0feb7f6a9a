import { Module } from '@nestjs/common';
import { QueuesModule } from '../queues/queues.module.js';
import { JobAccess } from './job-access.js';
import { JobEnds } from './job-ends.js';
import { JobViews } from './job-views.js';
import { JobsController } from './jobs.controller.js';
import { Jobs } from './jobs.service.js';
import { JobLines } from './log/job-lines.js';
import { JobLog } from './log/job-log.js';
import { Admission } from './queue/admission.js';
import { Dispatcher } from './queue/dispatcher.js';
import { NewJobs } from './queue/new-jobs.js';
import { ParkedTwins } from './queue/parked-twins.js';
import { Twins } from './queue/twins.js';

/** The line: queueing, dispatch and reading of jobs. Running them is the host worker's (hosts/). */
@Module({
  imports: [QueuesModule],
  controllers: [JobsController],
  providers: [Jobs, JobViews, JobAccess, JobEnds, JobLines, JobLog, Admission, Dispatcher, NewJobs, ParkedTwins, Twins],
  exports: [Jobs, JobViews, JobAccess, JobLines, JobLog, Dispatcher],
})
export class JobsModule {}
