import { type QueryClient, infiniteQueryOptions, queryOptions, useMutation } from '@tanstack/vue-query';
import { api } from '../api/client';
import { queryClient } from '../api/query-client';
import { replacedOptions } from './replaced';
import { ownSizeSchema, serverFolderSchema } from './schema';

const keys = {
  of: (serverId: number) => ['server-files', serverId] as const,
  folder: (serverId: number, path: string) => ['server-files', serverId, 'folder', path] as const,
  ownSize: (serverId: number, path: string) => ['server-files', serverId, 'own-size', path] as const,
};

/** One folder of what a server sees, page by page. */
export function serverFolderOptions(serverId: number, path: string) {
  return infiniteQueryOptions({
    queryKey: keys.folder(serverId, path),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      api.get(`/servers/${serverId}/files`, serverFolderSchema, { query: { path, cursor: pageParam }, signal }),
    getNextPageParam: (page) => page.nextCursor,
  });
}

/** How much the server wrote itself. */
export function ownSizeOptions(serverId: number) {
  return ownSizeBelow(serverId, '');
}

/** How much of what is at a path and below it the server wrote itself, as it is now: people decide upon it. */
export function ownSizeNowOptions(serverId: number, path: string) {
  return { ...ownSizeBelow(serverId, path), staleTime: 0, gcTime: 0 };
}

function ownSizeBelow(serverId: number, path: string) {
  return queryOptions({
    queryKey: keys.ownSize(serverId, path),
    queryFn: ({ signal }) => api.get(`/servers/${serverId}/files/summary`, ownSizeSchema, { query: { path }, signal }),
  });
}

/** Looks at a server's files again: it does not tell when it writes. */
export async function refreshServerFiles(serverId: number, client: QueryClient = queryClient): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: keys.of(serverId) }),
    client.invalidateQueries({ queryKey: replacedOptions(serverId).queryKey }),
  ]);
}

/** Deletes what a server wrote at a path. */
export function useDeleteServerFile() {
  return useMutation({
    mutationFn: ({ serverId, path }: { serverId: number; path: string }) =>
      api.call('DELETE', `/servers/${serverId}/files/content`, { query: { path } }),
    onSettled: (_, __, { serverId }) => refreshServerFiles(serverId),
  });
}
