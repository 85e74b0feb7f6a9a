import { z } from 'zod';
import { jobSchema } from '../jobs/schema';

export const hostSchema = z.object({
  id: z.number(),
  name: z.string(),
  address: z.string().nullable(),
  online: z.boolean(),
  workerSeenAt: z.string().nullable(),
  serviceManager: z.string().nullable(),
  isolation: z.enum(['namespaces', 'copy']).nullable(),
  isolationReason: z.string().nullable(),
  demo: z.boolean(),
  currentBuild: z.string().nullable(),
  newestBuild: z.string().nullable(),
  newestBuildAt: z.string().nullable(),
  updateAvailable: z.boolean(),
  builds: z.array(
    z.object({
      build: z.string(),
      installedAt: z.string(),
      current: z.boolean(),
      demo: z.boolean(),
      bytes: z.number(),
    }),
  ),
  job: jobSchema.nullable(),
});
export type Host = z.output<typeof hostSchema>;
