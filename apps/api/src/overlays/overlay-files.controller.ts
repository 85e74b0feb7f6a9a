import { Controller, Delete, HttpCode, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { FilePath } from '../files/folder.dto.js';
import { Fails } from '../openapi/fails.js';
import { IdPipe } from '../problems/id.js';
import { Invalid } from '../problems/problems.js';
import { WrittenView } from './overlay-file.dto.js';
import { FILE_LIMIT, OverlayFiles } from './overlay-files.service.js';
import { takeBody } from './uploaded-body.js';

const overlayId = new IdPipe('overlay');

/** The files of an overlay's draft, changed. Bodies are the files themselves, whatever their type (problems/bodies.ts leaves them alone). */
@ApiTags('overlays')
@Controller('overlays/:id/files')
export class OverlayFilesController {
  constructor(private readonly files: OverlayFiles) {}

  @Put('content')
  @Fails({
    '408': 'Nothing came for a minute.',
    '412':
      'If-Match was given, and somebody else has changed or removed the file since; or `If-None-Match: *`, and there is one.',
    '413': 'The file is over its limit.',
    '507': 'The disk would be full.',
  })
  @ApiOperation({ summary: "Upload a file into an overlay's draft" })
  @Scoped('manage')
  @ApiConsumes('*/*')
  @ApiBody({
    description: `The file as it is, ${FILE_LIMIT} bytes at most.`,
    schema: { type: 'string', format: 'binary' },
  })
  @ApiOkResponse({ type: WrittenView })
  async write(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Query() query: FilePath,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<WrittenView> {
    const length = request.headers['content-length'];
    const { 'if-match': ifMatch, 'if-none-match': ifNone } = request.headers;
    if (ifNone !== undefined && ifNone !== '*') {
      throw new Invalid([{ path: 'If-None-Match', message: 'may only be *, for a file that is not there yet' }]);
    }
    const seen = { ...(ifMatch === undefined ? {} : { ifMatch }), ifNone: ifNone === '*' };
    const written = await takeBody(request, response, (body) =>
      this.files.write(me, id, query.path, body, length === undefined ? null : Number(length), seen),
    );
    response.setHeader('ETag', written.etag);
    return written;
  }

  @Delete('content')
  @ApiOperation({ summary: "Delete a file or folder of an overlay's draft" })
  @Scoped('manage')
  @HttpCode(204)
  @ApiNoContentResponse()
  async remove(@Me() me: Principal, @Param('id', overlayId) id: number, @Query() query: FilePath): Promise<void> {
    await this.files.remove(me, id, query.path);
  }
}
