import { PassThrough, type Readable } from 'node:stream';
import { Controller, Delete, HttpCode, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { Fails } from '../openapi/fails.js';
import { IdPipe } from '../problems/id.js';
import { Invalid } from '../problems/problems.js';
import { EntryView, WriteQuery } from './overlay-file.dto.js';
import { FILE_LIMIT, OverlayFiles } from './overlay-files.service.js';

const overlayId = new IdPipe('overlay');

/** The files of an overlay's draft, changed. Bodies are the files themselves, whatever their type (problems/bodies.ts leaves them alone). */
@ApiTags('overlays')
@Controller('overlays/:id/files')
export class OverlayFilesController {
  constructor(private readonly files: OverlayFiles) {}

  @Put('content')
  @Fails({ '413': 'The file is over its limit.' })
  @ApiOperation({ summary: "Upload a file into an overlay's draft" })
  @Scoped('manage')
  @ApiConsumes('*/*')
  @ApiBody({
    description: `The file as it is, ${FILE_LIMIT} bytes at most.`,
    schema: { type: 'string', format: 'binary' },
  })
  @ApiOkResponse({ type: EntryView })
  async write(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Query() query: WriteQuery,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<EntryView> {
    const length = request.headers['content-length'];
    try {
      return await this.files.write(me, id, query.path, bodyOf(request), length === undefined ? null : Number(length));
    } catch (error) {
      if (request.destroyed && !request.complete)
        throw new Invalid([{ path: '', message: 'the upload ended before its end' }]);
      // Nobody reads the rest of a refused upload; the connection cannot be used again.
      if (!request.complete) response.setHeader('Connection', 'close');
      throw error;
    }
  }

  @Delete('content')
  @ApiOperation({ summary: "Delete a file or folder of an overlay's draft" })
  @Scoped('manage')
  @HttpCode(204)
  @ApiNoContentResponse()
  async remove(@Me() me: Principal, @Param('id', overlayId) id: number, @Query() query: WriteQuery): Promise<void> {
    await this.files.remove(me, id, query.path);
  }
}

/**
 * The request's body as a stream of its own: whoever refuses it in the middle destroys that, and the connection is still there for the
 * answer.
 */
function bodyOf(request: Request): Readable {
  const body = new PassThrough();
  // Whoever reads it is told as well; before somebody does, nobody else must be.
  body.on('error', () => undefined);
  request.once('close', () => {
    if (!request.complete) body.destroy(new Error('the connection was cut'));
  });
  return request.pipe(body);
}
