import type { ServerLogLine } from '@left4me/host';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { Invalid } from '../problems/problems.js';
import { Servers } from '../servers/servers.service.js';
import { lastEventId, streamLog } from './log-response.js';
import { positionMessage, ServerLogAnswer, ServerLogQuery } from './server-log.dto.js';
import { positionPattern, ServerLogStream } from './server-log-stream.js';

const format = { position: (item: ServerLogLine) => item.position, line: (item: ServerLogLine) => item.line };

@ApiTags('servers')
@Controller('servers')
export class ServerLogsController {
  constructor(
    private readonly servers: Servers,
    private readonly stream: ServerLogStream,
  ) {}

  /** What the server printed, oldest first. `follow=true` streams: NDJSON, SSE or plain text, by `Accept`. */
  @Get(':id/logs')
  @ApiOperation({ summary: "Read or follow a server's log" })
  @Scoped('read')
  @ApiParam({ name: 'id', type: String, description: "The server's id or name." })
  @ApiOkResponse({ type: ServerLogAnswer })
  @ApiProduces('application/json', 'application/x-ndjson', 'text/event-stream', 'text/plain')
  async logs(
    @Me() me: Principal,
    @Param('id') reference: string,
    @Query() query: ServerLogQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const server = await this.servers.get(me, reference);
    const from = { after: lastEventId(request) ?? query.after, lines: query.lines };
    if (from.after !== undefined && !positionPattern.test(from.after)) {
      throw new Invalid([{ path: 'after', message: positionMessage }]);
    }
    if (query.follow === 'true') {
      return streamLog(request, response, format, (signal) => this.stream.follow(server.id, from, signal));
    }
    const { items, truncated } = await this.stream.read(server.id, from);
    const nextCursor = items.at(-1)?.position ?? from.after ?? null;
    response.json({ items, truncated, nextCursor } satisfies ServerLogAnswer);
  }
}
