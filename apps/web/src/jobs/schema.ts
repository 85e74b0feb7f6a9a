import { z } from 'zod';

export const jobStates = ['queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

export const jobSchema = z.object({
  id: z.number(),
  operation: z.string(),
  state: z.enum(jobStates),
  serverId: z.number().nullable(),
  serverName: z.string().nullable(),
  overlayId: z.number().nullable(),
  overlayName: z.string().nullable(),
  hostId: z.number().nullable(),
  hostName: z.string().nullable(),
  userId: z.number().nullable(),
  userName: z.string().nullable(),
  cancelledBy: z.number().nullable(),
  cancelledByName: z.string().nullable(),
  cancelledAt: z.string().nullable(),
  exitCode: z.number().nullable(),
  error: z.string().nullable(),
  waitsFor: z.array(
    z.object({
      kind: z.string(),
      jobId: z.number().nullish(),
      operation: z.string().nullish(),
      text: z.string(),
    }),
  ),
  progress: z.object({ percent: z.number().nullable(), text: z.string().nullable() }).nullable(),
  createdAt: z.string(),
  startedAt: z.string().nullable(),
  finishedAt: z.string().nullable(),
});
export type Job = z.output<typeof jobSchema>;

/** Not ended yet: queued, running or cancelling. */
export function isUnfinished(job: Job): boolean {
  return job.state === 'queued' || job.state === 'running' || job.state === 'cancelling';
}
