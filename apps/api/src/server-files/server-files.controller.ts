import { Controller, Delete, Get, HttpCode, Param, Query, Req, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { ChecksServer, Me, type Principal, Scoped } from '../auth/access.js';
import { FolderDownloads } from '../downloads/folder-downloads.js';
import { sendFile } from '../downloads/send.js';
import { FilePath, FolderPageQuery, FolderPath } from '../files/folder.dto.js';
import { streamLog } from '../logs/log-response.js';
import { Fails } from '../openapi/fails.js';
import { Gone } from '../problems/gone.js';
import type { FollowStep } from './file-questions.js';
import { OwnSizeView, ServerContentQuery, ServerFileList, ServerSummaryQuery } from './server-file.dto.js';
import { ServerFilesOfUsers } from './server-files.service.js';

const byReference = { name: 'id', type: String, description: "The server's id or name." } as const;
const WORKER_AWAY = "The host's worker is not running.";
const away = Fails({ '503': WORKER_AWAY });

const lines = {
  position: (item: FollowStep['items'][number]) => item.position,
  line: (item: FollowStep['items'][number]) => item.line,
};

/**
 * What a server sees: its layers and what it wrote itself, also while it runs. Secrets are masked with an asterisk for each byte in what
 * was generated and in what the server wrote.
 */
@ApiTags('servers')
@Controller('servers/:id/files')
export class ServerFilesController {
  constructor(
    private readonly files: ServerFilesOfUsers,
    private readonly downloads: FolderDownloads,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List a folder of a server, with the layer of each entry and what it hides' })
  @Scoped('read')
  @away
  @ApiParam(byReference)
  @ApiOkResponse({ type: ServerFileList })
  list(@Me() me: Principal, @Param('id') reference: string, @Query() query: FolderPageQuery): Promise<ServerFileList> {
    return this.files.list(me, reference, query);
  }

  /** Without a path it may be some seconds old. What layers have is not counted; where the server wrote nothing there are no files. */
  @Get('summary')
  @ApiOperation({ summary: 'Read how much a server wrote itself, in all or at a path and below' })
  @Scoped('read')
  @Fails({ '503': `${WORKER_AWAY} Or, with \`Retry-After\`: other files are being counted.` })
  @ApiParam(byReference)
  @ApiOkResponse({ type: OwnSizeView })
  ownSize(
    @Me() me: Principal,
    @Param('id') reference: string,
    @Query() { path }: ServerSummaryQuery,
    @Gone() gone: AbortSignal,
  ): Promise<OwnSizeView> {
    return this.files.ownSize(me, reference, path, gone);
  }

  /**
   * `follow=true` streams the lines of a text file and those that are written to it: NDJSON, SSE or plain text, by `Accept`, as for logs.
   * Without `after`, a file of more than a MiB begins with the last lines of that size, and tells how many bytes were `skipped`. One that
   * was emptied or replaced is told as truncated and read from its beginning.
   */
  @Get('content')
  @ApiOperation({ summary: 'Download a file of a server, or follow it' })
  @Scoped('read')
  @Fails({ '429': 'You follow too many files.', '503': WORKER_AWAY })
  @ApiParam(byReference)
  @ApiProduces('application/octet-stream', 'application/x-ndjson', 'text/event-stream', 'text/plain')
  @ApiOkResponse({
    description: 'The file, as an attachment; Range is supported.',
    schema: { type: 'string', format: 'binary' },
  })
  async read(
    @Me() me: Principal,
    @Param('id') reference: string,
    @Query() { path, follow, after }: ServerContentQuery,
    @Gone() gone: AbortSignal,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    if (follow !== 'true') {
      return sendFile(request, response, path.split('/').at(-1) ?? '', await this.files.open(me, reference, path));
    }
    const steps = await this.files.follow(me, reference, path, after, gone);
    await streamLog(request, response, lines, () => steps);
  }

  @Get('archive')
  @ApiOperation({ summary: 'Download a folder of a server as a zip file' })
  @Scoped('read')
  @Fails({ '503': `${WORKER_AWAY} Or, with \`Retry-After\`: other folders are being packed.` })
  @ApiParam(byReference)
  @ApiProduces('application/zip')
  @ApiOkResponse({ description: 'Links are left out.', schema: { type: 'string', format: 'binary' } })
  async archive(
    @Me() me: Principal,
    @Param('id') reference: string,
    @Query() { path }: FolderPath,
    @Gone() gone: AbortSignal,
    @Res() response: Response,
  ): Promise<void> {
    await this.downloads.send(me.user.id, response, gone, () => this.files.archive(me, reference, path));
  }

  /**
   * Removes all that the server wrote at the path and below it, for good and without asking: nothing goes to the trash, and databases, bans
   * and demos, which updates leave alone, go as well. `GET …/files/summary?path=` tells beforehand what that is. What the layers have there
   * stays, and is seen again where the server had changed or deleted it: at once, or from the next start on where layers are copied.
   */
  @Delete('content')
  @ApiOperation({ summary: 'Delete what a server wrote itself at a path and below, while it is stopped' })
  @Scoped('manage')
  @ChecksServer()
  @away
  @HttpCode(204)
  @ApiParam(byReference)
  @ApiNoContentResponse()
  async remove(@Me() me: Principal, @Param('id') reference: string, @Query() { path }: FilePath): Promise<void> {
    await this.files.remove(me, reference, path);
  }
}
