import { queryOptions, useMutation } from '@tanstack/vue-query';
import { allPages } from '../api/all-pages';
import { api, pageOf } from '../api/client';
import { queryClient } from '../api/query-client';
import { blueprintKeys } from '../blueprints/queries';
import { secretSchema } from './schema';

export const secretKeys = { all: ['secrets'] as const, list: ['secrets', 'list'] as const };

/** The user's own secrets, by name. */
export const secretListOptions = queryOptions({
  queryKey: secretKeys.list,
  queryFn: async ({ signal }) => {
    const items = await allPages((cursor) =>
      api.get('/secrets', pageOf(secretSchema), { query: { limit: 100, cursor }, signal }),
    );
    return items.sort((left, right) => left.name.localeCompare(right.name, 'en', { numeric: true }));
  },
});

function refresh(): void {
  void queryClient.invalidateQueries({ queryKey: secretKeys.all });
  void queryClient.invalidateQueries({ queryKey: blueprintKeys.variables });
  // Another value shows up as pending changes of the servers that have the one before.
  void queryClient.invalidateQueries({ queryKey: ['servers'] });
}

export function useSetSecret() {
  return useMutation({
    mutationFn: ({ name, value }: { name: string; value: string }) =>
      api.put(`/secrets/${encodeURIComponent(name)}`, { value }, secretSchema),
    // The value does not stay in the cache of mutations.
    gcTime: 0,
    onSuccess: refresh,
  });
}

export function useDeleteSecret() {
  return useMutation({
    mutationFn: (name: string) => api.call('DELETE', `/secrets/${encodeURIComponent(name)}`),
    onSuccess: refresh,
  });
}
