import { Body, Controller, Get, HttpCode, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { Fails } from '../openapi/fails.js';
import { Gone } from '../problems/gone.js';
import { IdPipe } from '../problems/id.js';
import { DraftWarnings } from './draft-warnings.js';
import { UnpackQuery, FolderBody, MoveBody, UnpackedView, WarningsView } from './draft.dto.js';
import { ARCHIVE_LIMIT, OverlayFiles } from './overlay-files.service.js';
import { takeBody } from './uploaded-body.js';

const overlayId = new IdPipe('overlay');

/** What changes an overlay's draft beyond single files. */
@ApiTags('overlays')
@Controller('overlays/:id')
export class DraftController {
  constructor(
    private readonly files: OverlayFiles,
    private readonly warnings: DraftWarnings,
  ) {}

  @Put('archive')
  @ApiOperation({ summary: "Unpack an archive into an overlay's draft" })
  @Scoped('manage')
  @Fails({
    '408': 'Nothing came for a minute.',
    '413': 'The archive is over its limit.',
    '422': 'The archive is damaged, over a limit unpacked, or holds a path that is refused; nothing was changed.',
    '501': 'The program for this compression is not installed.',
    '503':
      'Too many archives are being unpacked; `Retry-After` says when to come back. What was sent in pieces is kept.',
    '507': 'The disk would be full.',
  })
  @ApiConsumes('*/*')
  @ApiBody({
    description: `A zip, or a tar (plain, gzip, bzip2, xz, zstd), told by its content; ${ARCHIVE_LIMIT} bytes at most.`,
    schema: { type: 'string', format: 'binary' },
  })
  @ApiOkResponse({ type: UnpackedView })
  async archive(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Query() query: UnpackQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<UnpackedView> {
    return takeBody(request, response, (body, signal) => this.files.writeArchive(me, id, query, body, signal));
  }

  @Get('warnings')
  @ApiOperation({ summary: "List what the game will not take as meant in an overlay's draft" })
  @Scoped('read')
  @Fails({ '503': 'It took too long: the draft holds very many files, or VPKs with very many entries.' })
  @ApiOkResponse({ type: WarningsView })
  async listWarnings(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Gone() gone: AbortSignal,
  ): Promise<WarningsView> {
    return this.warnings.of(me, id, gone);
  }

  @Post('folders')
  @ApiOperation({ summary: "Make a folder in an overlay's draft" })
  @Scoped('manage')
  @HttpCode(204)
  @ApiNoContentResponse()
  async makeFolder(@Me() me: Principal, @Param('id', overlayId) id: number, @Body() body: FolderBody): Promise<void> {
    await this.files.makeFolder(me, id, body.path);
  }

  @Post('files/move')
  @ApiOperation({ summary: "Rename or move a file or folder of an overlay's draft" })
  @Scoped('manage')
  @Fails({ '409': 'Something is in the way, which is named, or a build runs; nothing was moved.' })
  @HttpCode(204)
  @ApiNoContentResponse()
  async move(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Body() { from, to, ...options }: MoveBody,
  ): Promise<void> {
    await this.files.move(me, id, from, to, options);
  }
}
