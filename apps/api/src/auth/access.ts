import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Request } from 'express';
import { NotLoggedIn } from '../problems/problems.js';
import type { Scope } from '../tokens/token.entity.js';
import type { User } from '../users/user.entity.js';

/** Who makes a request, and what they may do. */
export interface Principal {
  user: User;
  admin: boolean;
  /** What a token may do; a session may do everything. */
  scopes: readonly Scope[];
  /** The only servers a token may touch; null: all of the user's. */
  serverIds: readonly number[] | null;
}

declare module 'express' {
  interface Request {
    principal?: Principal;
  }
}

export const PUBLIC = 'left4me:public';
export const SCOPE = 'left4me:scope';
export const ADMIN = 'left4me:admin';

/** The route needs no login. */
export const Public = () => SetMetadata(PUBLIC, true);
/** The scope a token needs for the route; a route without one is closed to tokens. */
export const Scoped = (scope: Scope) => SetMetadata(SCOPE, scope);
/** The route is for admins. */
export const AdminOnly = () => SetMetadata(ADMIN, true);

/** Parameter decorator: the principal of the request. */
export const Me = createParamDecorator((_: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<Request>();
  if (!principal) throw new NotLoggedIn('Log in first.');
  return principal;
});
