import { type QueryClient, queryOptions, useMutation } from '@tanstack/vue-query';
import { allPages } from '../api/all-pages';
import { api, pageOf } from '../api/client';
import { queryClient } from '../api/query-client';
import { applyJob } from '../jobs/queries';
import { type Job, isUnfinished, jobSchema } from '../jobs/schema';
import type { Server } from '../servers/schema';
import { type TrashEntry, trashEntrySchema } from './schema';

export const trashKeys = { list: ['trash'] as const };

/** How soon to ask again what became of an entry; nothing is pushed about the trash. */
const LOOK_AGAIN_MS = 2000;

/** What is in the trash and the user's, newest first. */
export const trashListOptions = queryOptions({
  queryKey: trashKeys.list,
  queryFn: ({ signal }) =>
    allPages((cursor) => api.get('/trash', pageOf(trashEntrySchema), { query: { limit: 100, cursor }, signal })),
  refetchInterval: ({ state }) =>
    state.data?.some((entry) => entry.state !== 'kept' && entry.problem === null) ? LOOK_AGAIN_MS : false,
});

/** Queues the job that puts an entry back into a server. */
export function useRestore() {
  return useMutation({
    mutationFn: ({ entry, server }: { entry: TrashEntry; server: Pick<Server, 'id'> }) =>
      api.post(`/servers/${server.id}/jobs`, { operation: 'initialize', restore: entry.id }, jobSchema),
    onSuccess: (job) => {
      applyJob(queryClient, job);
      void queryClient.invalidateQueries({ queryKey: trashKeys.list });
    },
  });
}

/** Removes an entry for good. */
export function usePurge() {
  return useMutation({
    mutationFn: (entry: TrashEntry) => api.call('DELETE', `/trash/${entry.id}`),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: trashKeys.list }),
  });
}

/** After a job that puts files away, or back. */
export function applyJobToTrash(client: QueryClient, job: Job): void {
  if (isUnfinished(job) || (job.operation !== 'delete' && job.operation !== 'initialize')) return;
  void client.invalidateQueries({ queryKey: trashKeys.list });
}
