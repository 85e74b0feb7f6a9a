import { type QueryClient, queryOptions, useMutation, useQuery } from '@tanstack/vue-query';
import { computed } from 'vue';
import { allPages } from '../api/all-pages';
import { api, pageOf } from '../api/client';
import { queryClient } from '../api/query-client';
import { applyJob, jobKeys } from '../jobs/queries';
import { type Job, isUnfinished, jobSchema } from '../jobs/schema';
import { Pushed } from '../live/pushed';
import { serverKeys } from '../servers/queries';
import { type Host, hostSchema } from './schema';

export const hostKeys = {
  all: ['hosts'] as const,
  list: ['hosts', 'list'] as const,
};

const pushed = new Pushed<Host>();

/** The machines; often one, `local`. */
export const hostListOptions = queryOptions({
  queryKey: hostKeys.list,
  queryFn: async ({ signal }) => {
    const mark = pushed.mark();
    const items = await allPages((cursor) => api.get('/hosts', pageOf(hostSchema), { query: { cursor }, signal }));
    return pushed.freshenAll(items, mark);
  },
});

/** Whether there is more than one: with one its name says nothing. */
export function useSeveralHosts() {
  const { data } = useQuery(hostListOptions);
  return computed(() => (data.value?.length ?? 0) > 1);
}

export function applyHost(client: QueryClient, host: Host): void {
  pushed.note(host);
  const before = client.getQueryData<Host[]>(hostKeys.list)?.find((item) => item.id === host.id);
  if (before?.online !== host.online) {
    // What is known of its jobs and servers is something else from now on; they are not pushed one by one.
    void client.invalidateQueries({ queryKey: jobKeys.all });
    void client.invalidateQueries({ queryKey: serverKeys.all });
  }
  client.setQueryData<Host[]>(hostKeys.list, (list) =>
    list?.some((item) => item.id === host.id)
      ? list.map((item) => (item.id === host.id ? host : item))
      : list && [...list, host],
  );
}

export function forgetHost(client: QueryClient, id: number): void {
  pushed.forget(id);
  client.setQueryData<Host[]>(hostKeys.list, (list) => list?.filter((item) => item.id !== id));
}

/** Keeps an install's progress fresh where the host is shown. */
export function applyJobToHost(client: QueryClient, job: Job): void {
  if (job.operation !== 'install') return;
  client.setQueryData<Host[]>(hostKeys.list, (list) =>
    list?.map((host) => {
      if (host.id !== job.hostId) return host;
      if (isUnfinished(job) && (host.job === null || host.job.id === job.id)) return { ...host, job };
      return host.job?.id === job.id ? { ...host, job: null } : host;
    }),
  );
  if (!isUnfinished(job)) void client.invalidateQueries({ queryKey: hostKeys.all });
}

/** Installs or updates the game on a host (admins). */
export function useInstall() {
  return useMutation({
    mutationFn: ({ host, build }: { host: Host; build?: string }) =>
      api.post(`/hosts/${host.id}/jobs`, { operation: 'install', ...(build ? { build } : {}) }, jobSchema),
    onSuccess: (job) => {
      applyJob(queryClient, job);
      applyJobToHost(queryClient, job);
    },
  });
}

/** Changes where players find a host's servers (admins). */
export function useChangeHost() {
  return useMutation({
    mutationFn: ({ host, address }: { host: Host; address: string | null }) =>
      api.patch(`/hosts/${host.id}`, { address }, hostSchema),
    onSuccess: (host) => applyHost(queryClient, host),
  });
}

/** Removes a host that is offline and has no servers (admins). */
export function useRemoveHost() {
  return useMutation({
    mutationFn: (host: Host) => api.call('DELETE', `/hosts/${host.id}`),
    onSuccess: (_, host) => forgetHost(queryClient, host.id),
  });
}
