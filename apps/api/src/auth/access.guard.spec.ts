import { describe, expect, it } from 'vitest';
import { NotAllowed } from '../problems/problems.js';
import { User } from '../users/user.entity.js';
import { type Principal, serverAllowed } from './access.js';
import { checkAccess, type RouteAccess } from './access.guard.js';

const principal = (given: Partial<Principal> = {}): Principal => ({
  user: new User(),
  admin: false,
  scopes: ['read', 'operate', 'manage'],
  serverIds: null,
  ...given,
});
const token = (given: Partial<Principal> = {}) => principal({ tokenId: 1, ...given });
const route = (given: Partial<RouteAccess> = {}): RouteAccess => ({
  admin: false,
  scope: undefined,
  checksServer: false,
  ...given,
});
const check = (who: Principal, what: RouteAccess) => () => checkAccess(who, what);

describe('checkAccess', () => {
  it('lets a session do everything but what is for admins', () => {
    expect(check(principal(), route())).not.toThrow();
    expect(check(principal(), route({ scope: 'manage' }))).not.toThrow();
    expect(check(principal(), route({ admin: true }))).toThrow(NotAllowed);
    expect(check(principal({ admin: true }), route({ admin: true }))).not.toThrow();
  });

  it('lets a token do what its scope names, and nothing without one', () => {
    expect(check(token(), route())).toThrow('Tokens cannot do this');
    expect(check(token({ scopes: ['operate'] }), route({ scope: 'operate' }))).not.toThrow();
    expect(check(token({ scopes: ['manage'] }), route({ scope: 'read' }))).toThrow('"read"');
    expect(check(token(), route({ scope: 'read', admin: true }))).toThrow('Only admins');
  });

  it('keeps a token with a server list to routes that look at the list', () => {
    const limited = token({ serverIds: [7] });
    expect(check(limited, route({ scope: 'read' }))).not.toThrow();
    expect(check(limited, route({ scope: 'manage' }))).toThrow('server list');
    expect(check(limited, route({ scope: 'operate', checksServer: true }))).not.toThrow();
  });
});

describe('serverAllowed', () => {
  it('is about the list only', () => {
    expect(serverAllowed({ serverIds: null }, 7)).toBe(true);
    expect(serverAllowed({ serverIds: [7] }, 7)).toBe(true);
    expect(serverAllowed({ serverIds: [7] }, 8)).toBe(false);
  });
});
