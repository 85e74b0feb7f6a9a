import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { PageQuery } from '../paging/page.js';
import { IdPipe } from '../problems/id.js';
import { PreviewView } from '../servers/preview.dto.js';
import { Previews } from '../servers/previews.js';
import {
  BlueprintPage,
  BlueprintView,
  CreateBlueprintBody,
  PreviewBlueprintBody,
  UpdateBlueprintBody,
  VariableList,
  VariablesQuery,
} from './blueprint.dto.js';
import { BlueprintViews } from './blueprint-views.js';
import type { Blueprint } from './blueprint.entity.js';
import { Blueprints } from './blueprints.service.js';
import { variables } from './template.js';
import { UnsavedBlueprints } from './unsaved-blueprints.js';

const blueprintId = new IdPipe('blueprint');

@ApiTags('blueprints')
@Controller('blueprints')
export class BlueprintsController {
  constructor(
    private readonly blueprints: Blueprints,
    private readonly views: BlueprintViews,
    private readonly unsaved: UnsavedBlueprints,
    private readonly previews: Previews,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List blueprints' })
  @Scoped('read')
  @ApiOkResponse({ type: BlueprintPage })
  async list(@Me() me: Principal, @Query() query: PageQuery): Promise<BlueprintPage> {
    const { items, nextCursor } = await this.blueprints.list(me, query);
    return { items: await this.views.render(items, me), nextCursor };
  }

  @Get('variables')
  @ApiOperation({ summary: 'List the variables that blueprints can use' })
  @Scoped('read')
  @ApiOkResponse({ type: VariableList })
  async variables(@Me() me: Principal, @Query() { blueprintId: id }: VariablesQuery): Promise<VariableList> {
    const secrets = [...(await this.blueprints.secretNames(me, id))].map((name) => ({
      name: `secret.${name}`,
      description: 'A secret. Not allowed in arguments.',
    }));
    return { items: [...variables, ...secrets], nextCursor: null };
  }

  @Get(':id')
  @ApiOperation({ summary: 'Read a blueprint' })
  @Scoped('read')
  @ApiOkResponse({ type: BlueprintView })
  async get(@Me() me: Principal, @Param('id', blueprintId) id: number): Promise<BlueprintView> {
    return this.view(await this.blueprints.get(me, id), me);
  }

  @Post()
  @ApiOperation({ summary: 'Make a blueprint' })
  @Scoped('manage')
  @ApiCreatedResponse({ type: BlueprintView })
  async create(@Me() me: Principal, @Body() body: CreateBlueprintBody): Promise<BlueprintView> {
    return this.view(await this.blueprints.create(me, body), me);
  }

  @Post('preview')
  @ApiOperation({ summary: 'Show what would be generated from a blueprint that is not saved' })
  @Scoped('manage')
  @HttpCode(200)
  @ApiOkResponse({ type: PreviewView })
  async preview(@Me() me: Principal, @Body() body: PreviewBlueprintBody): Promise<PreviewView> {
    const { recipe, hostId } = await this.unsaved.recipe(me, body);
    return this.previews.ofRecipe(recipe, hostId);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change a blueprint' })
  @Scoped('manage')
  @ApiOkResponse({ type: BlueprintView })
  async update(
    @Me() me: Principal,
    @Param('id', blueprintId) id: number,
    @Body() body: UpdateBlueprintBody,
  ): Promise<BlueprintView> {
    return this.view(await this.blueprints.update(me, id, body), me);
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Delete a blueprint that no server uses' })
  @Scoped('manage')
  @HttpCode(204)
  @ApiNoContentResponse()
  async remove(@Me() me: Principal, @Param('id', blueprintId) id: number): Promise<void> {
    await this.blueprints.remove(me, id);
  }

  private async view(blueprint: Blueprint, me: Principal): Promise<BlueprintView> {
    const [view] = await this.views.render([blueprint], me);
    if (!view) throw new Error('a blueprint has no view');
    return view;
  }
}
