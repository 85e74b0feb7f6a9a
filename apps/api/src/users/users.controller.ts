import { Body, Controller, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AdminOnly, Me, type Principal } from '../auth/access.js';
import { PageOf } from '../openapi/page-of.js';
import { type Page, PageQuery } from '../paging/page.js';
import { IdPipe } from '../problems/id.js';
import { Accounts } from './accounts.js';
import { NewUser, UserChange, UserView } from './user.dto.js';

@ApiTags('users')
@AdminOnly()
@Controller('users')
export class UsersController {
  constructor(private readonly accounts: Accounts) {}

  @Get()
  @ApiOperation({ summary: 'List users' })
  @ApiOkResponse({ type: PageOf(UserView) })
  async list(@Query() query: PageQuery): Promise<Page<UserView>> {
    const { items, nextCursor } = await this.accounts.list(query);
    return { items: items.map(UserView.of), nextCursor };
  }

  @Post()
  @ApiOperation({ summary: 'Make a user' })
  @ApiCreatedResponse({ type: UserView })
  async create(@Body() body: NewUser): Promise<UserView> {
    return UserView.of(await this.accounts.create(body));
  }

  @Patch(':id')
  @ApiOperation({ summary: "Change a user's role or password, or disable them" })
  @ApiOkResponse({ type: UserView })
  async change(
    @Me() me: Principal,
    @Param('id', new IdPipe('user')) id: number,
    @Body() body: UserChange,
  ): Promise<UserView> {
    return UserView.of(await this.accounts.change(id, body, id === me.user.id ? me.session?.secretHash : undefined));
  }
}
