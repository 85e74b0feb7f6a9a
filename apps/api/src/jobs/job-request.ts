import type { ServerOperation } from './job.entity.js';

/** What may be queued. Whoever asks has been checked already. */
export type JobRequest = {
  userId: number | null;
  /** With an Idempotency-Key, what it stands for: sent again it gets the job it has queued already. */
  requestId?: string | null;
} & (
  | { operation: ServerOperation; serverId: number; restoreEntryId?: number | null }
  | { operation: 'build-overlay'; overlayId: number }
  | { operation: 'install'; hostId: number; build: string | null }
);
