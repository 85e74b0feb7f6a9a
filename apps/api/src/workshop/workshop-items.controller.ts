import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { Fails } from '../openapi/fails.js';
import { IdPipe } from '../problems/id.js';
import { AddItemsBody, ChangeItemBody, WorkshopItemList } from './workshop.dto.js';
import { WorkshopItems } from './workshop-items.service.js';

const overlayId = new IdPipe('overlay');

/** What a Workshop overlay is made of. `item` in a path is Steam's id. */
@ApiTags('overlays')
@Controller('overlays/:id/workshop-items')
export class WorkshopItemsController {
  constructor(private readonly items: WorkshopItems) {}

  @Get()
  @ApiOperation({ summary: "List a Workshop overlay's items and what is in its collections" })
  @Scoped('read')
  @ApiOkResponse({ type: WorkshopItemList })
  list(@Me() me: Principal, @Param('id', overlayId) id: number): Promise<WorkshopItemList> {
    return this.items.list(me, id);
  }

  @Post()
  @ApiOperation({ summary: 'Add items and collections, all or none' })
  @Scoped('manage')
  @ApiCreatedResponse({ type: WorkshopItemList })
  add(@Me() me: Principal, @Param('id', overlayId) id: number, @Body() body: AddItemsBody): Promise<WorkshopItemList> {
    return this.items.add(me, id, body.ids);
  }

  @Post('refresh')
  @ApiOperation({ summary: 'Ask Steam what is new' })
  @Scoped('manage')
  @HttpCode(200)
  @ApiOkResponse({ type: WorkshopItemList })
  @Fails({ '503': 'Steam does not answer.' })
  refresh(@Me() me: Principal, @Param('id', overlayId) id: number): Promise<WorkshopItemList> {
    return this.items.refresh(me, id);
  }

  @Patch(':item')
  @ApiOperation({ summary: "Name an item's file" })
  @Scoped('manage')
  @ApiOkResponse({ type: WorkshopItemList })
  rename(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Param('item') item: string,
    @Body() body: ChangeItemBody,
  ): Promise<WorkshopItemList> {
    return this.items.rename(me, id, item, body.fileName);
  }

  @Delete(':item')
  @ApiOperation({ summary: 'Remove an item or a collection' })
  @Scoped('manage')
  @HttpCode(204)
  @ApiNoContentResponse()
  async remove(@Me() me: Principal, @Param('id', overlayId) id: number, @Param('item') item: string): Promise<void> {
    await this.items.remove(me, id, item);
  }
}
