import { Body, Controller, Get, Param, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { Fails } from '../openapi/fails.js';
import { PageQuery } from '../paging/page.js';
import { Gone } from '../problems/gone.js';
import { IdPipe } from '../problems/id.js';
import { OverlayView } from './overlay.dto.js';
import { OverlayViews } from './overlay-views.js';
import { CurrentRevisionBody, DifferencePage, DiffQuery, RevisionPage } from './revision.dto.js';
import { Revisions } from './revisions.service.js';

const overlayId = new IdPipe('overlay');

@ApiTags('overlays')
@Controller('overlays/:id')
export class RevisionsController {
  constructor(
    private readonly revisions: Revisions,
    private readonly views: OverlayViews,
  ) {}

  @Get('revisions')
  @ApiOperation({ summary: "List an overlay's published revisions" })
  @Scoped('read')
  @ApiOkResponse({ type: RevisionPage })
  list(@Me() me: Principal, @Param('id', overlayId) id: number, @Query() query: PageQuery): Promise<RevisionPage> {
    return this.revisions.list(me, id, query);
  }

  @Get('revisions/:number/diff')
  @ApiOperation({ summary: 'Tell what changes from a revision to another, or to the draft' })
  @Scoped('read')
  @Fails({ '503': 'One file took too long to be compared.' })
  @ApiOkResponse({ type: DifferencePage })
  async differences(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Param('number', new IdPipe('revision')) number: number,
    @Query() query: DiffQuery,
    @Gone() gone: AbortSignal,
  ): Promise<DifferencePage> {
    const { items, next } = await this.revisions.differences(me, id, number, query, gone);
    return { items, nextCursor: next };
  }

  @Put('current-revision')
  @Fails({ '409': 'A build of the overlay is unfinished.' })
  @ApiOperation({ summary: 'Go back to an earlier revision, or forth to a later one' })
  @Scoped('manage')
  @ApiOkResponse({ type: OverlayView })
  async makeCurrent(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Body() body: CurrentRevisionBody,
  ): Promise<OverlayView> {
    const overlay = await this.revisions.makeCurrent(me, id, body.number);
    const [view] = await this.views.render([overlay]);
    if (!view) throw new Error('an overlay has no view');
    return view;
  }
}
