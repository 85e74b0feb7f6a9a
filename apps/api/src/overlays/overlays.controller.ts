import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { QueuesJob, RequestId } from '../idempotency/idempotency.interceptor.js';
import { JobView } from '../jobs/job.dto.js';
import { JobViews } from '../jobs/job-views.js';
import { PageQuery } from '../paging/page.js';
import { Gone } from '../problems/gone.js';
import { IdPipe } from '../problems/id.js';
import { CreateOverlayBody, OverlayPage, OverlayView, UpdateOverlayBody } from './overlay.dto.js';
import type { Overlay } from './overlay.entity.js';
import { OverlayViews } from './overlay-views.js';
import { Overlays } from './overlays.service.js';

const overlayId = new IdPipe('overlay');

@ApiTags('overlays')
@Controller('overlays')
export class OverlaysController {
  constructor(
    private readonly overlays: Overlays,
    private readonly views: OverlayViews,
    private readonly jobs: JobViews,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List overlays' })
  @Scoped('read')
  @ApiOkResponse({ type: OverlayPage })
  async list(@Me() me: Principal, @Query() query: PageQuery, @Gone() gone: AbortSignal): Promise<OverlayPage> {
    const { items, nextCursor } = await this.overlays.list(me, query);
    return { items: await this.views.render(items, gone), nextCursor };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read an overlay' })
  @Scoped('read')
  @ApiOkResponse({ type: OverlayView })
  async get(@Me() me: Principal, @Param('id', overlayId) id: number, @Gone() gone: AbortSignal): Promise<OverlayView> {
    return this.view(await this.overlays.get(me, id), gone);
  }

  @Post()
  @ApiOperation({ summary: 'Make an overlay' })
  @Scoped('manage')
  @ApiCreatedResponse({ type: OverlayView })
  async create(@Me() me: Principal, @Body() body: CreateOverlayBody): Promise<OverlayView> {
    return this.view(await this.overlays.create(me, body));
  }

  @Post(':id/builds')
  @ApiOperation({ summary: 'Queue a build that publishes the draft as a new revision' })
  @QueuesJob(true)
  @Scoped('manage')
  @HttpCode(202)
  @ApiAcceptedResponse({ type: JobView })
  async build(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @RequestId() requestId: string | null,
    @Res({ passthrough: true }) response: Response,
  ): Promise<JobView> {
    const job = await this.overlays.build(me, id, requestId);
    response.setHeader('Location', `/api/v1/jobs/${job.id}`);
    return this.jobs.queued(me, job.id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change an overlay' })
  @Scoped('manage')
  @ApiOkResponse({ type: OverlayView })
  async update(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Body() body: UpdateOverlayBody,
  ): Promise<OverlayView> {
    return this.view(await this.overlays.update(me, id, body));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Delete an overlay that nothing uses' })
  @Scoped('manage')
  @HttpCode(204)
  @ApiNoContentResponse()
  async remove(@Me() me: Principal, @Param('id', overlayId) id: number): Promise<void> {
    await this.overlays.remove(me, id);
  }

  private async view(overlay: Overlay, gone?: AbortSignal): Promise<OverlayView> {
    const [view] = await this.views.render([overlay], gone);
    if (!view) throw new Error('an overlay has no view');
    return view;
  }
}
