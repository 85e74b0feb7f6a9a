import { type Principal, serverAllowed } from '../auth/access.js';
import type { Server } from './server.entity.js';

/** Their own servers, or all for an admin; a limited token only the ones it names. */
export function seesServer(me: Principal, server: Pick<Server, 'id' | 'ownerId'>): boolean {
  return serverAllowed(me, server.id) && (me.admin || server.ownerId === me.user.id);
}
