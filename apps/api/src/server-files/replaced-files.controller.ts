import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { sendFile } from '../downloads/send.js';
import { FilePageQuery } from '../files/folder.dto.js';
import { Fails } from '../openapi/fails.js';
import { ReplacedContentQuery, ReplacedFileList } from './replaced-file.dto.js';
import { ServerFilesOfUsers } from './server-files.service.js';

const byReference = { name: 'id', type: String, description: "The server's id or name." } as const;
const away = Fails({ '503': "The host's worker is not running." });

/** A server's own copies that gave way to what its layers brought (docs/decisions/0106). Secrets are masked as in its other files. */
@ApiTags('servers')
@Controller('servers/:id/replaced')
export class ReplacedFilesController {
  constructor(private readonly files: ServerFilesOfUsers) {}

  @Get()
  @ApiOperation({ summary: "List a server's own copies that gave way to changed layers" })
  @Scoped('read')
  @away
  @ApiParam(byReference)
  @ApiOkResponse({ type: ReplacedFileList })
  list(@Me() me: Principal, @Param('id') reference: string, @Query() query: FilePageQuery): Promise<ReplacedFileList> {
    return this.files.replaced(me, reference, query);
  }

  @Get('content')
  @ApiOperation({ summary: 'Download one of them' })
  @Scoped('read')
  @away
  @ApiParam(byReference)
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({
    description: 'The file, as an attachment; Range is supported.',
    schema: { type: 'string', format: 'binary' },
  })
  async read(
    @Me() me: Principal,
    @Param('id') reference: string,
    @Query() { job, path }: ReplacedContentQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const file = await this.files.openReplaced(me, reference, { job, path });
    await sendFile(request, response, path.split('/').at(-1) ?? '', file);
  }
}
