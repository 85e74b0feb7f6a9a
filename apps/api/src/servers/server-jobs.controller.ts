import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { ChecksServer, Me, type Principal, Scoped } from '../auth/access.js';
import { QueuesJob, RequestId } from '../idempotency/idempotency.interceptor.js';
import { JobViews } from '../jobs/job-views.js';
import { JobView, NewServerJob } from '../jobs/job.dto.js';
import { Jobs } from '../jobs/jobs.service.js';
import { Servers } from './servers.service.js';

/** What can be done with a server: every operation is a job. */
@ApiTags('servers', 'jobs')
@Controller('servers')
export class ServerJobsController {
  constructor(
    private readonly servers: Servers,
    private readonly jobs: Jobs,
    private readonly views: JobViews,
  ) {}

  /** Queues a job for the server and answers at once; `Location` is where to watch it. */
  @Post(':id/jobs')
  @ApiOperation({ summary: 'Queue a job for a server: initialize, start, stop, restart or delete' })
  @HttpCode(202)
  @QueuesJob(true)
  @Scoped('operate')
  @ChecksServer()
  @ApiParam({ name: 'id', type: String, description: "The server's id or name." })
  @ApiAcceptedResponse({ type: JobView })
  async create(
    @Me() me: Principal,
    @Param('id') reference: string,
    @Body() body: NewServerJob,
    @RequestId() requestId: string | null,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    const server = await this.servers.get(me, reference);
    const job = await this.jobs.enqueue({
      operation: body.operation,
      serverId: server.id,
      userId: me.user.id,
      requestId,
    });
    response.location(`/api/v1/jobs/${job.id}`);
    return this.views.queued(me, job.id);
  }
}
