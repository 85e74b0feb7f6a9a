import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Request, Response } from 'express';
import { NotAllowed } from '../problems/problems.js';
import type { Scope } from '../tokens/token.entity.js';
import { ADMIN, PUBLIC, type Principal, SCOPE, SERVER_LIST } from './access.js';
import { Authentication } from './authentication.js';
import { Sessions } from './sessions.js';

/** What a route says of itself, by its decorators. */
export interface RouteAccess {
  admin: boolean;
  scope: Scope | undefined;
  /** It checks tokens' server lists itself. */
  checksServer: boolean;
}

/** Stands before every REST route: nobody gets further without a login unless the route is public. */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authentication: Authentication,
    private readonly sessions: Sessions,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    // A gateway authenticates at the upgrade, once, not at every message.
    if (context.getType() !== 'http') return true;
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride(PUBLIC, places)) return true;
    const request = context.switchToHttp().getRequest<Request>();
    const response = context.switchToHttp().getResponse<Response>();
    const principal = await this.authentication.authenticate(request.headers);
    checkAccess(principal, {
      admin: this.reflector.getAllAndOverride(ADMIN, places) ?? false,
      scope: this.reflector.getAllAndOverride(SCOPE, places),
      checksServer: this.reflector.getAllAndOverride(SERVER_LIST, places) ?? false,
    });
    request.principal = principal;
    response.setHeader('Cache-Control', 'no-store');
    if (principal.session) await this.sessions.keep(request, response, principal.session);
    return true;
  }
}

/** @throws NotAllowed saying what is missing */
export function checkAccess(principal: Principal, route: RouteAccess): void {
  if (route.admin && !principal.admin) throw new NotAllowed('Only admins may do this.');
  if (principal.tokenId === undefined) return;
  if (route.scope === undefined) throw new NotAllowed('Tokens cannot do this; log in with a password.');
  if (!principal.scopes.includes(route.scope))
    throw new NotAllowed(`This needs a token with the scope "${route.scope}".`);
  if (principal.serverIds !== null && route.scope !== 'read' && !route.checksServer) {
    throw new NotAllowed('A token with a server list may only change its servers.');
  }
}
