import { Controller, Get, HttpCode, Req, Res } from '@nestjs/common';
import {
  ApiExcludeEndpoint,
  ApiOkResponse,
  ApiOperation,
  ApiServiceUnavailableResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Public } from '../auth/access.js';
import { Authentication } from '../auth/authentication.js';
import { checkAccess } from '../auth/access.guard.js';
import { Alive, Readiness } from './health.dto.js';
import { Measurements } from './measurements.js';
import { Services } from './services.js';

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(
    private readonly services: Services,
    private readonly measurements: Measurements,
    private readonly authentication: Authentication,
  ) {}

  /** The process answers; for a supervisor that restarts it otherwise. */
  @Public()
  @Get('health/live')
  @ApiOperation({ summary: 'Whether the process answers' })
  @ApiOkResponse({ type: Alive })
  live(): Alive {
    return { status: 'ok' };
  }

  /** What the panel needs answers too; for a load balancer. */
  @Public()
  @Get('health/ready')
  @ApiOperation({ summary: 'Whether everything it needs answers' })
  @HttpCode(200)
  @ApiOkResponse({ type: Readiness })
  @ApiServiceUnavailableResponse({ type: Readiness })
  async ready(@Res({ passthrough: true }) response: Response): Promise<Readiness> {
    const readiness = await this.services.check();
    if (readiness.status !== 'ok') response.status(503);
    response.setHeader('Cache-Control', 'no-store');
    return readiness;
  }

  /** Prometheus text format: for processes on the same machine, and admins from elsewhere. */
  @Public()
  @Get('metrics')
  @ApiOperation({ summary: 'Measurements for Prometheus' })
  @ApiExcludeEndpoint()
  async metrics(@Req() request: Request, @Res() response: Response): Promise<void> {
    if (!fromThisMachine(request)) {
      checkAccess(await this.authentication.authenticate(request.headers), {
        admin: true,
        scope: 'read',
        checksServer: false,
      });
    }
    response.setHeader('Cache-Control', 'no-store');
    response.type(this.measurements.registry.contentType).send(await this.measurements.registry.metrics());
  }
}

/** A reverse proxy on the same machine passes on requests of the whole world: what was forwarded is not from here. */
function fromThisMachine(request: Request): boolean {
  const { 'x-forwarded-for': forwardedFor, forwarded, via } = request.headers;
  if (forwardedFor !== undefined || forwarded !== undefined || via !== undefined) return false;
  return /^(127\.|::1$|::ffff:127\.)/.test(request.socket.remoteAddress ?? '');
}
