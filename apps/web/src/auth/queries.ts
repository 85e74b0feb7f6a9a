import { queryOptions, useMutation } from '@tanstack/vue-query';
import { ApiProblem, api } from '../api/client';
import { queryClient } from '../api/query-client';
import { type User, userSchema } from '../users/schema';
import { tellOtherTabs } from './other-tabs';

export const authKeys = { me: ['auth', 'me'] as const };

/** Who is logged in; null: nobody. */
export const meOptions = queryOptions({
  queryKey: authKeys.me,
  staleTime: Infinity,
  queryFn: async ({ signal }): Promise<User | null> => {
    try {
      return await api.get('/auth/me', userSchema, { signal });
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  },
});

export function useLogin() {
  return useMutation({
    mutationFn: (input: { username: string; password: string }) => api.post('/auth/login', input, userSchema),
    onSuccess: async (user) => {
      // One that is asked for since another tab told of its login would be older.
      await queryClient.cancelQueries({ queryKey: authKeys.me });
      queryClient.setQueryData<User | null>(authKeys.me, user);
      tellOtherTabs();
    },
  });
}

export function useLogout() {
  return useMutation({ mutationFn: () => api.call('POST', '/auth/logout'), onSuccess: tellOtherTabs });
}

export function useChangePassword() {
  return useMutation({
    mutationFn: (input: { currentPassword: string; newPassword: string }) =>
      api.call('PUT', '/auth/me/password', { body: input }),
  });
}
