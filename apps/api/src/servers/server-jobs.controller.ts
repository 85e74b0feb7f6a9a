import { Body, Controller, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { ChecksServer, Me, type Principal, Scoped } from '../auth/access.js';
import { QueuesJob, RequestId } from '../idempotency/idempotency.interceptor.js';
import { JobViews } from '../jobs/job-views.js';
import { JobView, NewServerJob } from '../jobs/job.dto.js';
import { Jobs } from '../jobs/jobs.service.js';
import { Conflict, Invalid } from '../problems/problems.js';
import { TrashList } from '../trash/trash-list.js';
import type { Server } from './server.entity.js';
import { Servers } from './servers.service.js';

/** What can be done with a server: every operation is a job. */
@ApiTags('servers', 'jobs')
@Controller('servers')
export class ServerJobsController {
  constructor(
    private readonly servers: Servers,
    private readonly jobs: Jobs,
    private readonly views: JobViews,
    private readonly trash: TrashList,
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
      restoreEntryId: await this.restoreOf(me, server, body),
    });
    response.location(`/api/v1/jobs/${job.id}`);
    return this.views.queued(me, job.id);
  }

  private async restoreOf(me: Principal, server: Server, { operation, restore }: NewServerJob): Promise<number | null> {
    if (restore === undefined) return null;
    if (operation !== 'initialize') throw new Invalid([{ path: 'restore', message: 'goes with initialize only' }]);
    await this.trash.requireRestorable(me, restore, server);
    await this.refuseRunning(server);
    return restore;
  }

  /** What a job of it that waits or runs will have made of it by then, the restoring job sees itself. */
  private async refuseRunning({ id, name, actualState }: Server): Promise<void> {
    const runs = actualState === 'running' || actualState === 'starting';
    if (runs && (await this.jobs.isIdle({ serverId: id }))) {
      throw new Conflict(`${name} runs: stop it before its files are restored.`);
    }
  }
}
