import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiTags,
} from '@nestjs/swagger';
import { ChecksServer, Me, type Principal, Scoped } from '../auth/access.js';
import { PageQuery } from '../paging/page.js';
import { PreviewView } from './preview.dto.js';
import { Previews } from './previews.js';
import { CreateServerBody, ServerPage, ServerView, UpdateServerBody } from './server.dto.js';
import type { Server } from './server.entity.js';
import { ServerViews } from './server-views.js';
import { Servers } from './servers.service.js';

const byReference = { name: 'id', type: String, description: "The server's id or name." } as const;

@ApiTags('servers')
@Controller('servers')
export class ServersController {
  constructor(
    private readonly servers: Servers,
    private readonly views: ServerViews,
    private readonly previews: Previews,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List servers' })
  @Scoped('read')
  @ApiOkResponse({ type: ServerPage })
  async list(@Me() me: Principal, @Query() query: PageQuery): Promise<ServerPage> {
    const { items, nextCursor } = await this.servers.list(me, query);
    return { items: await this.views.render(me, items), nextCursor };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a server' })
  @Scoped('read')
  @ApiParam(byReference)
  @ApiOkResponse({ type: ServerView })
  async get(@Me() me: Principal, @Param('id') reference: string): Promise<ServerView> {
    return this.view(me, await this.servers.get(me, reference));
  }

  @Get(':id/preview')
  @ApiOperation({ summary: 'Show everything that would be generated for a server now' })
  @Scoped('read')
  @ApiParam(byReference)
  @ApiOkResponse({ type: PreviewView })
  async preview(@Me() me: Principal, @Param('id') reference: string): Promise<PreviewView> {
    return this.previews.ofServer(await this.servers.get(me, reference));
  }

  @Post()
  @ApiOperation({ summary: 'Make a server' })
  @Scoped('manage')
  @ApiCreatedResponse({ type: ServerView })
  async create(@Me() me: Principal, @Body() body: CreateServerBody): Promise<ServerView> {
    return this.view(me, await this.servers.create(me, body));
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change a server' })
  @Scoped('manage')
  @ChecksServer()
  @ApiParam(byReference)
  @ApiOkResponse({ type: ServerView })
  async update(
    @Me() me: Principal,
    @Param('id') reference: string,
    @Body() body: UpdateServerBody,
  ): Promise<ServerView> {
    return this.view(me, await this.servers.update(me, reference, body));
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Remove the record of a server that is absent from its host' })
  @Scoped('manage')
  @ChecksServer()
  @HttpCode(204)
  @ApiParam(byReference)
  @ApiNoContentResponse()
  async remove(@Me() me: Principal, @Param('id') reference: string): Promise<void> {
    await this.servers.remove(me, reference);
  }

  private async view(me: Principal, server: Server): Promise<ServerView> {
    const [view] = await this.views.render(me, [server]);
    if (!view) throw new Error('a server has no view');
    return view;
  }
}
