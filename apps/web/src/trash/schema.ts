import { z } from 'zod';

export const trashEntrySchema = z.object({
  id: z.number(),
  state: z.enum(['kept', 'restoring', 'purging']),
  problem: z.string().nullable(),
  hostId: z.number(),
  hostName: z.string(),
  serverId: z.number().nullable(),
  serverName: z.string(),
  ownerName: z.string().nullable(),
  jobId: z.number().nullable(),
  files: z.number().nullable(),
  bytes: z.number().nullable(),
  deletedAt: z.string(),
  keptUntil: z.string(),
});
/** What a deleted server wrote itself. */
export type TrashEntry = z.output<typeof trashEntrySchema>;
