import { queryOptions } from '@tanstack/vue-query';
import { z } from 'zod';
import { api, pageOf } from '../api/client';

const replacedFileSchema = z.object({
  job: z.string(),
  jobId: z.number().nullable(),
  path: z.string(),
  size: z.number(),
  replacedAt: z.string(),
});

/** A server's own copies that gave way to changed layers. */
export function replacedOptions(serverId: number) {
  return queryOptions({
    queryKey: ['servers', 'replaced', serverId],
    queryFn: async ({ signal }) =>
      (await api.get(`/servers/${serverId}/replaced`, pageOf(replacedFileSchema), { signal })).items,
    // A start may have replaced more.
    staleTime: 0,
  });
}
