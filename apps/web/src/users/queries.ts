import { queryOptions, useMutation } from '@tanstack/vue-query';
import { allPages } from '../api/all-pages';
import { api, pageOf } from '../api/client';
import { queryClient } from '../api/query-client';
import { type Role, type User, userSchema } from './schema';

export const userKeys = { all: ['users'] as const, list: ['users', 'list'] as const };

/** All accounts (admins only). */
export const userListOptions = queryOptions({
  queryKey: userKeys.list,
  queryFn: async ({ signal }) => {
    const items = await allPages((cursor) =>
      api.get('/users', pageOf(userSchema), { query: { limit: 100, cursor }, signal }),
    );
    return items.sort((left, right) => left.name.localeCompare(right.name, 'en', { numeric: true }));
  },
});

function refresh(): void {
  void queryClient.invalidateQueries({ queryKey: userKeys.all });
}

export function useCreateUser() {
  return useMutation({
    mutationFn: (input: { name: string; password: string; role: Role }) => api.post('/users', input, userSchema),
    onSuccess: refresh,
  });
}

export function useChangeUser() {
  return useMutation({
    mutationFn: ({ user, change }: { user: User; change: { role?: Role; disabled?: boolean; password?: string } }) =>
      api.patch(`/users/${user.id}`, change, userSchema),
    onSuccess: refresh,
  });
}
