import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { PageOf } from '../openapi/page-of.js';
import { type Page, PageQuery } from '../paging/page.js';
import { SecretBody, SecretView } from './secret.dto.js';
import { Secrets } from './secrets.service.js';

/** Everybody's own: admins do not see or set those of others. */
@ApiTags('secrets')
@Controller('secrets')
export class SecretsController {
  constructor(private readonly secrets: Secrets) {}

  @Get()
  @ApiOperation({ summary: 'List your secrets, without their values' })
  @Scoped('read')
  @ApiOkResponse({ type: PageOf(SecretView) })
  list(@Me() { user }: Principal, @Query() query: PageQuery): Promise<Page<SecretView>> {
    return this.secrets.list(user.id, query);
  }

  @Put(':name')
  @ApiOperation({ summary: 'Set a secret; nobody can read its value again' })
  @Scoped('manage')
  @ApiOkResponse({ type: SecretView })
  put(@Me() { user }: Principal, @Param('name') name: string, @Body() { value }: SecretBody): Promise<SecretView> {
    return this.secrets.put(user.id, name, value);
  }

  @Delete(':name')
  @ApiOperation({ summary: 'Delete a secret that nothing uses' })
  @Scoped('manage')
  @HttpCode(204)
  @ApiNoContentResponse()
  async remove(@Me() { user }: Principal, @Param('name') name: string): Promise<void> {
    await this.secrets.remove(user.id, name);
  }
}
