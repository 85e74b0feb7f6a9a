import type { Operation } from './job.entity.js';

/** A resource a job needs, for itself alone or shared with others. */
export interface Claim {
  resource: string;
  exclusive: boolean;
}

export const runtimeOf = (hostId: number) => `host:${hostId}/runtime`;
export const serverResource = (serverId: number) => `server:${serverId}`;
export const overlayResource = (overlayId: number) => `overlay:${overlayId}`;

/** What a job's claims depend on, read in the transaction that enqueues it. */
export interface ClaimContext {
  operation: Operation;
  hostId: number;
  serverId: number | null;
  overlayId: number | null;
  /** Overlays of the server's blueprint that have no revision at all: only these are worth waiting for. */
  unbuiltOverlayIds: readonly number[];
}

/**
 * The claims of a job. *A job runs when no earlier unfinished job holds a conflicting claim*: from that one sentence follow the
 * order per server, the install lock of a host, and first come, first served. Every job has exactly one exclusive claim, which the
 * admission query (queue/admission.ts) relies on.
 */
export function claimsOf(context: ClaimContext): Claim[] {
  const { operation, hostId, serverId, overlayId } = context;
  switch (operation) {
    case 'install':
      return [{ resource: runtimeOf(hostId), exclusive: true }];
    case 'build-overlay':
      if (overlayId === null) throw new Error('A build-overlay job needs its overlay.');
      return [{ resource: overlayResource(overlayId), exclusive: true }];
    case 'initialize':
    case 'start':
    case 'restart':
    case 'stop':
    case 'delete': {
      if (serverId === null) throw new Error(`A ${operation} job needs its server.`);
      const claims: Claim[] = [
        { resource: serverResource(serverId), exclusive: true },
        { resource: runtimeOf(hostId), exclusive: false },
      ];
      if (operation === 'stop' || operation === 'delete') return claims;
      return [
        ...claims,
        ...context.unbuiltOverlayIds.map((id) => ({ resource: overlayResource(id), exclusive: false })),
      ];
    }
  }
}
