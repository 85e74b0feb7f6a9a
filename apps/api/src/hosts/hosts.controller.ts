import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { DataSource } from 'typeorm';
import { AdminOnly, Me, type Principal, Scoped } from '../auth/access.js';
import { QueuesJob, RequestId } from '../idempotency/idempotency.interceptor.js';
import { JobViews } from '../jobs/job-views.js';
import { JobView, NewHostJob } from '../jobs/job.dto.js';
import { Jobs } from '../jobs/jobs.service.js';
import { PageOf } from '../openapi/page-of.js';
import type { Page } from '../paging/page.js';
import { Announcements } from '../redis/announcements.js';
import { announceServersOf } from '../servers/announce-servers.js';
import { HostRemoval } from './host-removal.js';
import { HostViews } from './host-views.js';
import { HostChange, HostView } from './host.dto.js';
import { HostRow } from './host.entity.js';

const byReference = { name: 'id', type: String, description: "The host's id or name." } as const;

/** Hosts: what is installed on them and whether their worker is there. */
@ApiTags('hosts')
@Controller('hosts')
export class HostsController {
  constructor(
    private readonly views: HostViews,
    private readonly removal: HostRemoval,
    private readonly jobs: Jobs,
    private readonly jobViews: JobViews,
    private readonly database: DataSource,
    private readonly announcements: Announcements,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List hosts' })
  @Scoped('read')
  @ApiOkResponse({ type: PageOf(HostView) })
  async list(@Me() me: Principal): Promise<Page<HostView>> {
    return { items: await this.views.render(me), nextCursor: null };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a host' })
  @Scoped('read')
  @ApiParam(byReference)
  @ApiOkResponse({ type: HostView })
  async get(@Me() me: Principal, @Param('id') reference: string): Promise<HostView> {
    return this.views.find(me, reference);
  }

  /** Changes where players find the host's servers. */
  @Patch(':id')
  @ApiOperation({ summary: 'Change the address of a host' })
  @AdminOnly()
  @Scoped('manage')
  @ApiParam(byReference)
  @ApiOkResponse({ type: HostView })
  async update(
    @Me() me: Principal,
    @Param('id') reference: string,
    @Body() { address }: HostChange,
  ): Promise<HostView> {
    const { id } = await this.views.find(me, reference);
    await this.database.getRepository(HostRow).update({ id }, { address });
    this.announcements.publish({ topic: 'host', id });
    await announceServersOf({ hostId: id }, this.database, this.announcements);
    return this.get(me, reference);
  }

  /** Its jobs stay. A worker that comes under its name brings it back. */
  @Delete(':id')
  @ApiOperation({ summary: 'Remove a host that is offline and has no servers' })
  @AdminOnly()
  @Scoped('manage')
  @HttpCode(204)
  @ApiParam(byReference)
  @ApiNoContentResponse()
  async remove(@Me() me: Principal, @Param('id') reference: string): Promise<void> {
    const { id } = await this.views.find(me, reference);
    await this.removal.remove(id);
  }

  /** Queues an `install` on the host: it waits for the jobs of the host's servers, and later ones wait for it. */
  @Post(':id/jobs')
  @ApiOperation({ summary: 'Queue an install of the game on a host' })
  @HttpCode(202)
  @AdminOnly()
  @QueuesJob(true)
  @Scoped('operate')
  @ApiParam(byReference)
  @ApiAcceptedResponse({ type: JobView })
  async create(
    @Me() me: Principal,
    @Param('id') reference: string,
    @Body() body: NewHostJob,
    @RequestId() requestId: string | null,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    const { id } = await this.views.find(me, reference);
    const { operation, build } = body;
    const userId = me.user.id;
    const job = await this.jobs.enqueue({ operation, hostId: id, build: build ?? null, userId, requestId });
    response.location(`/api/v1/jobs/${job.id}`);
    return this.jobViews.queued(me, job.id);
  }
}
