import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { PageOf } from '../openapi/page-of.js';
import type { Page } from '../paging/page.js';
import { Repeatable } from '../idempotency/idempotency.interceptor.js';
import { Fails } from '../openapi/fails.js';
import { IdPipe } from '../problems/id.js';
import { CreateUploadBody, OffsetQuery, UploadView } from './draft-upload.dto.js';
import { DraftUploads } from './draft-uploads.service.js';
import { takeBody } from './uploaded-body.js';

const overlayId = new IdPipe('overlay');
const uploadId = new IdPipe('upload');

/** Uploads in pieces: made, sent piece by piece, finished. */
@ApiTags('overlays')
@Controller()
export class DraftUploadsController {
  constructor(private readonly uploads: DraftUploads) {}

  @Post('overlays/:id/uploads')
  @ApiOperation({
    summary: "Begin an upload in pieces into an overlay's draft",
    description: 'Send pieces of any size to `PATCH /uploads/{id}`, in order, and then `POST /uploads/{id}/finish`.',
  })
  @Scoped('manage')
  @ApiCreatedResponse({ type: UploadView })
  async create(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Body() body: CreateUploadBody,
  ): Promise<UploadView> {
    return this.uploads.create(me, id, body);
  }

  @Get('overlays/:id/uploads')
  @ApiOperation({ summary: "List one's own unfinished uploads into an overlay's draft" })
  @Scoped('manage')
  @ApiOkResponse({ type: PageOf(UploadView) })
  async list(@Me() me: Principal, @Param('id', overlayId) id: number): Promise<Page<UploadView>> {
    // A user has few of them at most.
    return { items: await this.uploads.unfinished(me, id), nextCursor: null };
  }

  @Get('uploads/:id')
  @ApiOperation({ summary: 'Read how far an upload is' })
  @Scoped('manage')
  @ApiOkResponse({ type: UploadView })
  async get(@Me() me: Principal, @Param('id', uploadId) id: number): Promise<UploadView> {
    return this.uploads.get(me, id);
  }

  @Patch('uploads/:id')
  @ApiOperation({
    summary: 'Send the next piece of an upload',
    description:
      'After any failure (no answer, 408, 409, 502–504) read the upload and go on at its `offset`: what has come stays. A line may ' +
      'break without a word, so a request that hangs is no obstacle: the next piece ends it.',
  })
  @Scoped('manage')
  @Fails({
    '408': 'Nothing came for a minute.',
    '409': 'The piece does not begin where the upload goes on, or a newer request has taken over.',
    '413': 'More than its size.',
    '507': 'The disk would be full.',
  })
  @ApiConsumes('*/*')
  @ApiBody({
    description: 'The bytes. What has come stays when they break off.',
    schema: { type: 'string', format: 'binary' },
  })
  @ApiOkResponse({ type: UploadView })
  async append(
    @Me() me: Principal,
    @Param('id', uploadId) id: number,
    @Query() { offset }: OffsetQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<UploadView> {
    return takeBody(request, response, (body) => this.uploads.append(me, id, offset, body));
  }

  @Post('uploads/:id/finish')
  @ApiOperation({
    summary: 'Put what was uploaded into the draft',
    description:
      'Goes on when the connection breaks. When no answer comes (or 502–504) ask again until one does: it is done once, and a ' +
      'finished upload answers the same each time.',
  })
  @Repeatable(true)
  @Scoped('manage')
  @HttpCode(200)
  @Fails({
    '409': 'It is not whole, or a build runs.',
    '422': 'The archive is damaged, over a limit unpacked, or holds a path that is refused; nothing was changed.',
    '501': 'The program for this compression is not installed.',
    '503': 'Too many archives are being unpacked; `Retry-After` says when to come back.',
    '507': 'The disk would be full.',
  })
  @ApiOkResponse({ type: UploadView })
  async finish(@Me() me: Principal, @Param('id', uploadId) id: number): Promise<UploadView> {
    return this.uploads.finish(me, id);
  }

  @Delete('uploads/:id')
  @ApiOperation({ summary: 'Give up an upload' })
  @Scoped('manage')
  @HttpCode(204)
  @ApiNoContentResponse()
  async remove(@Me() me: Principal, @Param('id', uploadId) id: number): Promise<void> {
    await this.uploads.remove(me, id);
  }
}
