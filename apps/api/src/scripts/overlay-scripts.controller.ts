import { Body, Controller, Get, Param, Put } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Me, type Principal, Scoped } from '../auth/access.js';
import { Fails } from '../openapi/fails.js';
import { Gone } from '../problems/gone.js';
import { IdPipe } from '../problems/id.js';
import { OverlayScripts } from './overlay-scripts.service.js';
import { ScriptBody, ScriptView } from './script.dto.js';

const overlayId = new IdPipe('overlay');

@ApiTags('overlays')
@Controller('overlays/:id/script')
export class OverlayScriptsController {
  constructor(private readonly scripts: OverlayScripts) {}

  @Get()
  @ApiOperation({ summary: 'Read the script of a script overlay' })
  @Scoped('read')
  @Fails({ '409': 'The overlay is of another kind.' })
  @ApiOkResponse({ type: ScriptView })
  read(@Me() me: Principal, @Param('id', overlayId) id: number): Promise<ScriptView> {
    return this.scripts.read(me, id);
  }

  @Put()
  @ApiOperation({ summary: 'Write the script of a script overlay; the next build runs it' })
  @Scoped('manage')
  @ApiOkResponse({ type: ScriptView })
  @Fails({
    '409': 'The overlay is of another kind, or its script was changed meanwhile.',
    '503': 'Too many scripts are being checked; `Retry-After` says when to come back.',
  })
  write(
    @Me() me: Principal,
    @Param('id', overlayId) id: number,
    @Body() body: ScriptBody,
    @Gone() gone: AbortSignal,
  ): Promise<ScriptView> {
    return this.scripts.write(me, id, body, gone);
  }
}
