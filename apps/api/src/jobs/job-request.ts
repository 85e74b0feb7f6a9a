import type { ServerOperation } from './job.entity.js';

/** What may be queued. Whoever asks has been checked already. */
export type JobRequest =
  | { operation: ServerOperation; serverId: number; userId: number | null }
  | { operation: 'build-overlay'; overlayId: number; userId: number | null }
  | { operation: 'install'; hostId: number; build: string | null; userId: number | null };
