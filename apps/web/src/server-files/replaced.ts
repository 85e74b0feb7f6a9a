import { infiniteQueryOptions } from '@tanstack/vue-query';
import { z } from 'zod';
import { api, pageOf } from '../api/client';

const replacedFileSchema = z.object({
  job: z.string(),
  jobId: z.number().nullable(),
  path: z.string(),
  size: z.number(),
  target: z.string().nullable(),
  replacedAt: z.string(),
});

/** A server's own copies that gave way to changed layers, page by page. */
export function replacedOptions(serverId: number) {
  return infiniteQueryOptions({
    queryKey: ['servers', 'replaced', serverId],
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      api.get(`/servers/${serverId}/replaced`, pageOf(replacedFileSchema), { query: { cursor: pageParam }, signal }),
    getNextPageParam: (page) => page.nextCursor,
    // A start may have replaced more.
    staleTime: 0,
  });
}
