import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { FolderDownloads } from '../downloads/folder-downloads.js';
import { sendFile } from '../downloads/send.js';
import { Fails } from '../openapi/fails.js';
import { Gone } from '../problems/gone.js';
import { IdPipe } from '../problems/id.js';
import { ArchiveQuery, EntryList, FolderQuery, ReadQuery } from './overlay-file.dto.js';
import { OverlayReading } from './overlay-reading.js';

const overlayId = new IdPipe('overlay');

/** The files of an overlay, read: its draft, or one of its revisions. */
@ApiTags('overlays')
@Controller('overlays/:id/files')
export class OverlayReadingController {
  constructor(
    private readonly reading: OverlayReading,
    private readonly downloads: FolderDownloads,
  ) {}

  @Get()
  @ApiOperation({ summary: "List a folder of an overlay's draft, or of a revision" })
  @Scoped('read')
  @ApiOkResponse({ type: EntryList })
  async list(@Me() me: Principal, @Param('id', overlayId) id: number, @Query() query: FolderQuery): Promise<EntryList> {
    const page = await this.reading.list(me, id, query.revision, query.path, query);
    const items = page.items.map(({ name, path, type, size, modifiedAt }) => ({ name, path, type, size, modifiedAt }));
    return { path: query.path, items, nextCursor: page.nextCursor };
  }

  @Get('content')
  @ApiOperation({ summary: "Download a file of an overlay's draft, or of a revision" })
  @Scoped('read')
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({
    description: 'The file, as an attachment; Range is supported.',
    schema: { type: 'string', format: 'binary' },
  })
  async read(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Query() query: ReadQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const file = await this.reading.open(me, id, query.revision, query.path);
    try {
      await sendFile(request, response, query.path.split('/').at(-1) ?? '', file);
    } finally {
      await file.close();
    }
  }

  @Get('archive')
  @ApiOperation({ summary: "Download a folder of an overlay's draft, or of a revision, as a zip file" })
  @Scoped('read')
  @Fails({ '503': 'Other folders are being packed; repeat it after `Retry-After`.' })
  @ApiProduces('application/zip')
  @ApiOkResponse({
    description: 'Links are left out, and what zip files cannot have.',
    schema: { type: 'string', format: 'binary' },
  })
  async archive(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Query() query: ArchiveQuery,
    @Gone() gone: AbortSignal,
    @Res() response: Response,
  ): Promise<void> {
    await this.downloads.send(me.user.id, response, gone, () =>
      this.reading.archive(me, id, query.revision, query.path),
    );
  }
}
