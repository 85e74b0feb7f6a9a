import { type QueryClient, queryOptions, useMutation } from '@tanstack/vue-query';
import { allPages } from '../api/all-pages';
import { api, pageOf } from '../api/client';
import { queryClient } from '../api/query-client';
import { blueprintKeys } from '../blueprints/queries';
import { previewSchema } from '../blueprints/schema';
import { applyJob } from '../jobs/queries';
import { type Job, isUnfinished, jobSchema } from '../jobs/schema';
import { Pushed } from '../live/pushed';
import { refreshServerFiles } from '../server-files/queries';
import { type Server, type ServerInput, type ServerOperation, serverSchema } from './schema';

export const serverKeys = {
  all: ['servers'] as const,
  list: ['servers', 'list'] as const,
  detail: (id: number) => ['servers', 'detail', id] as const,
  named: (name: string) => ['servers', 'named', name] as const,
  preview: (id: number) => ['servers', 'preview', id] as const,
};

const pushed = new Pushed<Server>();

/** Every server the user may see, in the order of their names. */
export const serverListOptions = queryOptions({
  queryKey: serverKeys.list,
  queryFn: async ({ signal }) => {
    const mark = pushed.mark();
    const items = await allPages((cursor) =>
      api.get('/servers', pageOf(serverSchema), { query: { limit: 100, cursor }, signal }),
    );
    return pushed.freshenAll(items, mark).sort(byName);
  },
});

/** One server; shows what the list knows until the answer arrives. */
export function serverOptions(id: number) {
  return queryOptions({
    queryKey: serverKeys.detail(id),
    queryFn: async ({ signal }) => {
      const mark = pushed.mark();
      return pushed.freshest(await api.get(`/servers/${id}`, serverSchema, { signal }), mark);
    },
    placeholderData: () => queryClient.getQueryData<Server[]>(serverKeys.list)?.find((server) => server.id === id),
  });
}

/** The id of the server that has a name. */
export function serverByNameOptions(name: string) {
  return queryOptions({
    queryKey: serverKeys.named(name),
    queryFn: async ({ signal }) => (await api.get(`/servers/${name}`, serverSchema, { signal })).id,
  });
}

/** What the server's next start would generate; read anew when that is another thing. */
export function previewOptions({ id, pendingChanges }: Server) {
  return queryOptions({
    queryKey: [...serverKeys.preview(id), pendingChanges],
    queryFn: ({ signal }) => api.get(`/servers/${id}/preview`, previewSchema, { signal }),
  });
}

function refreshBlueprints(): void {
  // A blueprint's "used by" follows its servers.
  void queryClient.invalidateQueries({ queryKey: blueprintKeys.all });
}

export function useCreateServer() {
  return useMutation({
    mutationFn: (input: ServerInput) => api.post('/servers', input, serverSchema),
    onSuccess: (server) => {
      applyServer(queryClient, server);
      refreshBlueprints();
    },
  });
}

export function useChangeServer() {
  return useMutation({
    mutationFn: ({ id, change }: { id: number; change: Partial<ServerInput> }) =>
      api.patch(`/servers/${id}`, change, serverSchema),
    onSuccess: (server) => {
      applyServer(queryClient, server);
      refreshBlueprints();
    },
  });
}

/** Removes the panel's record of a server that is absent from its host. */
export function useRemoveServer() {
  return useMutation({
    mutationFn: (server: Server) => api.call('DELETE', `/servers/${server.id}`),
    onSuccess: (_, server) => {
      forgetServer(queryClient, server.id);
      refreshBlueprints();
    },
  });
}

/** Queues an operation; answers the job, which may have to wait its turn. */
export function useServerJob() {
  return useMutation({
    mutationFn: ({ server, operation }: { server: Server; operation: ServerOperation }) =>
      api.post(`/servers/${server.id}/jobs`, { operation }, jobSchema),
    onSuccess: (job, { server }) => {
      applyJob(queryClient, job);
      void queryClient.invalidateQueries({ queryKey: serverKeys.detail(server.id) });
      void queryClient.invalidateQueries({ queryKey: serverKeys.list });
    },
  });
}

function byName(left: Server, right: Server): number {
  return left.name.localeCompare(right.name, 'en', { numeric: true });
}

/** Writes one server into the list and into its own entry. */
export function applyServer(client: QueryClient, server: Server): void {
  pushed.note(server);
  const before = client.getQueryData<Server>(serverKeys.detail(server.id));
  client.setQueryData<Server>(serverKeys.detail(server.id), server);
  client.setQueryData<Server[]>(
    serverKeys.list,
    (list) => list && [...list.filter((item) => item.id !== server.id), server].sort(byName),
  );
  if (before && before.actualState !== server.actualState) void refreshServerFiles(server.id, client);
}

/** Takes a removed server out of the list; an open page of it asks again and shows "not found". */
export function forgetServer(client: QueryClient, id: number): void {
  pushed.forget(id);
  client.setQueryData<Server[]>(serverKeys.list, (list) => list?.filter((item) => item.id !== id));
  void client.invalidateQueries({ queryKey: serverKeys.detail(id) });
}

/** Keeps the job shown with a server as fresh as the job itself: progress arrives with the job only. */
export function applyJobToServer(client: QueryClient, job: Job): void {
  if (job.serverId === null) return;
  const update = (server: Server): Server => {
    if (server.id !== job.serverId) return server;
    if (isUnfinished(job) && (server.job === null || server.job.id === job.id)) return { ...server, job };
    return server.job?.id === job.id ? { ...server, job: null } : server;
  };
  client.setQueryData<Server>(serverKeys.detail(job.serverId), (server) => server && update(server));
  client.setQueryData<Server[]>(serverKeys.list, (list) => list?.map(update));
  // It has other layers now, or is on its host no more.
  if (!isUnfinished(job)) void refreshServerFiles(job.serverId, client);
}
