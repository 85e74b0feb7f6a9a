import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ChecksServer, Me, type Principal, Scoped } from '../auth/access.js';
import { PageOf } from '../openapi/page-of.js';
import type { Page } from '../paging/page.js';
import { IdPipe } from '../problems/id.js';
import { TrashEntryView, TrashQuery } from './trash.dto.js';
import { TrashList } from './trash-list.js';

/** What deleted servers wrote. It is restored by an `initialize` job of a server. */
@ApiTags('trash')
@Controller('trash')
export class TrashController {
  constructor(private readonly trash: TrashList) {}

  /** Own entries, or all for admins, newest first. */
  @Get()
  @ApiOperation({ summary: 'List what deleted servers wrote' })
  @Scoped('read')
  @ApiOkResponse({ type: PageOf(TrashEntryView) })
  list(@Me() me: Principal, @Query() query: TrashQuery): Promise<Page<TrashEntryView>> {
    return this.trash.list(me, query);
  }

  /** Removes an entry for good, as soon as the worker of its host is there. It cannot be restored from now on. */
  @Delete(':id')
  @ApiOperation({ summary: 'Purge an entry of the trash' })
  @HttpCode(202)
  @Scoped('operate')
  @ChecksServer()
  @ApiAcceptedResponse({ type: TrashEntryView })
  purge(@Me() me: Principal, @Param('id', new IdPipe('trash entry')) id: number): Promise<TrashEntryView> {
    return this.trash.purge(me, id);
  }
}
