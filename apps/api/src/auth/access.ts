import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiExtension, ApiSecurity } from '@nestjs/swagger';
import type { Request } from 'express';
import { NotLoggedIn } from '../problems/problems.js';
import type { Scope } from '../tokens/token.entity.js';
import type { User } from '../users/user.entity.js';
import type { Session } from './session.entity.js';

export type SessionInUse = Pick<Session, 'secretHash' | 'expiresAt'>;

/** Who makes a request, and what they may do. */
export interface Principal {
  user: User;
  admin: boolean;
  /** What a token may do; a session may do everything. */
  scopes: readonly Scope[];
  /** The only servers a token may touch; null: all of the user's. */
  serverIds: readonly number[] | null;
  /** The token, where one is used. */
  tokenId?: number;
  /** The session, where one is used. */
  session?: SessionInUse;
}

declare module 'express' {
  interface Request {
    principal?: Principal;
  }
}

/** What the decorators below leave on a route, for AccessGuard. */
export const PUBLIC = Reflector.createDecorator<boolean>();
export const SCOPE = Reflector.createDecorator<Scope>();
export const ADMIN = Reflector.createDecorator<boolean>();
export const SERVER_LIST = Reflector.createDecorator<boolean>();

/** The route needs no login. */
export const Public = () => applyDecorators(PUBLIC(true), ApiExtension('x-public', true));
/** The scope a token needs for the route; a route without one is closed to tokens. */
export const Scoped = (scope: Scope) =>
  applyDecorators(SCOPE(scope), ApiSecurity('session'), ApiSecurity('token', [scope]));
/** The route is for admins. */
export const AdminOnly = () => applyDecorators(ADMIN(true), ApiExtension('x-admin', true));
/**
 * The route changes one server, or its jobs, and asks `serverAllowed` itself. Other routes that change something are closed
 * to tokens with a server list: a blueprint or an overlay may be in use by servers outside of it.
 */
export const ChecksServer = () => SERVER_LIST(true);

/** Whether a token's server list, if there is one, has the server. It says nothing about whose server it is. */
export function serverAllowed(principal: Pick<Principal, 'serverIds'>, serverId: number): boolean {
  return principal.serverIds === null || principal.serverIds.includes(serverId);
}

/** Parameter decorator: the principal of the request. */
export const Me = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<Request>();
  if (!principal) throw new NotLoggedIn('Log in first.');
  return principal;
});
