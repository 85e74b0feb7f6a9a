import type { IncomingHttpHeaders } from 'node:http';
import { Inject, Injectable } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { RunningSettings } from '../config/settings.js';
import { NotAllowed } from '../problems/problems.js';

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Tells the console's own requests from those that another site makes in the user's browser. */
@Injectable()
export class Origins {
  private readonly publicOrigin: string | null;

  constructor(@Inject(RunningSettings) settings: Pick<RunningSettings, 'publicUrl'>) {
    this.publicOrigin = settings.publicUrl === null ? null : new URL(settings.publicUrl).origin;
  }

  /** False when a browser says that the request was begun by a page of another origin. Also for WebSocket upgrades. */
  allows(headers: IncomingHttpHeaders): boolean {
    const site = headers['sec-fetch-site'];
    // Pages cannot forge it, and it knows the outer address whatever a proxy makes of Host.
    if (site === 'same-origin' || site === 'none') return true;
    if (site !== undefined) return false;
    const { origin, host } = headers;
    if (origin === undefined) return true;
    if (origin === this.publicOrigin) return true;
    return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase().replace(/:(80|443)$/, '');
  }

  /** Middleware: refuses requests that change something and come from elsewhere. A token is never sent by a browser itself. */
  readonly refuseOthers = (request: Request, _response: Response, next: NextFunction): void => {
    const { authorization } = request.headers;
    if (reading.has(request.method) || authorization?.startsWith('Bearer ') || this.allows(request.headers))
      return next();
    next(new NotAllowed('This request came from a page of another origin.'));
  };
}
