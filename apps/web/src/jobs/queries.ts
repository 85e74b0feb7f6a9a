import {
  type InfiniteData,
  type QueryClient,
  infiniteQueryOptions,
  queryOptions,
  useMutation,
} from '@tanstack/vue-query';
import { api, pageOf } from '../api/client';
import { queryClient } from '../api/query-client';
import { Pushed } from '../live/pushed';
import { type JobFilters, matches, stateParameter } from './filters';
import { type Job, jobSchema } from './schema';

export const jobKeys = {
  all: ['jobs'] as const,
  lists: ['jobs', 'list'] as const,
  list: (filters: JobFilters) => ['jobs', 'list', filters] as const,
  detail: (id: number) => ['jobs', 'detail', id] as const,
};

const pageSize = 50;
const pushed = new Pushed<Job>();

/** Jobs, newest first, a page at a time. */
export function jobListOptions(filters: JobFilters) {
  return infiniteQueryOptions({
    queryKey: jobKeys.list(filters),
    initialPageParam: null as string | null,
    queryFn: async ({ pageParam, signal }) => {
      const mark = pushed.mark();
      const page = await api.get('/jobs', pageOf(jobSchema), {
        signal,
        query: {
          state: stateParameter(filters.state),
          serverId: filters.serverId,
          overlayId: filters.overlayId,
          hostId: filters.hostId,
          limit: pageSize,
          cursor: pageParam,
        },
      });
      return { ...page, items: pushed.freshen(page.items, mark).filter((job) => matches(job, filters)) };
    },
    getNextPageParam: (page) => page.nextCursor,
  });
}

/** One job. */
export function jobOptions(id: number) {
  return queryOptions({
    queryKey: jobKeys.detail(id),
    queryFn: async ({ signal }) => {
      const mark = pushed.mark();
      return pushed.freshest(await api.get(`/jobs/${id}`, jobSchema, { signal }), mark);
    },
  });
}

/** Asks a job to end; a queued one ends at once. */
export function useCancelJob() {
  return useMutation({
    mutationFn: (job: Job) => api.post(`/jobs/${job.id}/cancel`, undefined, jobSchema),
    onSuccess: (job) => applyJob(queryClient, job),
  });
}

interface JobPage {
  items: Job[];
  nextCursor: string | null;
}

function upsert(pages: readonly JobPage[], job: Job, filters: JobFilters): JobPage[] {
  const belongs = matches(job, filters);
  const known = pages.some((page) => page.items.some((item) => item.id === job.id));
  return pages.map((page, index) => {
    if (known) {
      if (!page.items.some((item) => item.id === job.id)) return page;
      const items = page.items.filter((item) => item.id !== job.id || belongs);
      return { ...page, items: items.map((item) => (item.id === job.id ? job : item)) };
    }
    const newest = page.items[0];
    // Newest first: a job older than what is shown belongs to a page that is not loaded yet, or is put in its place.
    if (!belongs || index > 0) return page;
    if (newest === undefined || job.id > newest.id) return { ...page, items: [job, ...page.items] };
    const at = page.items.findIndex((item) => item.id < job.id);
    return at < 0 ? page : { ...page, items: page.items.toSpliced(at, 0, job) };
  });
}

function isFilters(part: unknown): part is JobFilters {
  return typeof part === 'object' && part !== null && 'state' in part && 'serverId' in part && 'overlayId' in part;
}

/** Jobs only ever move on: waiting, running, cancelling, ended. */
function age(job: Job): number {
  if (job.state === 'queued') return 0;
  if (job.state === 'running') return 1;
  return job.state === 'cancelling' ? 2 : 3;
}

/** Writes one job into every cached list and into its own entry. */
export function applyJob(client: QueryClient, job: Job): void {
  const known = client.getQueryData<Job>(jobKeys.detail(job.id));
  // The answer to a POST may come after the pushes about what became of it.
  if (known && age(known) > age(job)) return;
  pushed.note(job);
  client.setQueryData<Job>(jobKeys.detail(job.id), job);
  for (const [key, data] of client.getQueriesData<InfiniteData<JobPage>>({ queryKey: jobKeys.lists })) {
    const filters = key[2];
    if (data && isFilters(filters))
      client.setQueryData<InfiniteData<JobPage>>(key, { ...data, pages: upsert(data.pages, job, filters) });
  }
}
