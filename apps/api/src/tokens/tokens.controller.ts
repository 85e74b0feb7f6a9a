import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Me, type Principal } from '../auth/access.js';
import { ShownOnce } from '../idempotency/idempotency.interceptor.js';
import { PageOf } from '../openapi/page-of.js';
import { type Page, PageQuery } from '../paging/page.js';
import { IdPipe } from '../problems/id.js';
import { NewToken, NewTokenView, TokenView } from './token.dto.js';
import { Tokens } from './tokens.js';

/** Closed to tokens themselves: one that leaked cannot make others. */
@ApiTags('tokens')
@Controller('tokens')
export class TokensController {
  constructor(private readonly tokens: Tokens) {}

  @Get()
  @ApiOperation({ summary: 'List your tokens' })
  @ApiOkResponse({ type: PageOf(TokenView) })
  async list(@Me() { user }: Principal, @Query() query: PageQuery): Promise<Page<TokenView>> {
    const { items, nextCursor } = await this.tokens.list(user.id, query);
    return { items: items.map(TokenView.of), nextCursor };
  }

  @Post()
  @ApiOperation({ summary: 'Make a token; the answer shows it, once' })
  @ShownOnce()
  @ApiCreatedResponse({ type: NewTokenView })
  async create(@Me() me: Principal, @Body() body: NewToken): Promise<NewTokenView> {
    const { token, secret } = await this.tokens.create(me, body);
    return NewTokenView.withSecret(token, secret);
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Revoke a token' })
  @HttpCode(204)
  @ApiNoContentResponse()
  async revoke(@Me() { user }: Principal, @Param('id', new IdPipe('token')) id: number): Promise<void> {
    await this.tokens.revoke(user.id, id);
  }
}
