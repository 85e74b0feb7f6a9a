import { queryOptions, useMutation } from '@tanstack/vue-query';
import { allPages } from '../api/all-pages';
import { api, pageOf } from '../api/client';
import { queryClient } from '../api/query-client';
import { type Token, type TokenInput, newTokenSchema, tokenSchema } from './schema';

export const tokenKeys = { all: ['tokens'] as const, list: ['tokens', 'list'] as const };

/** The user's own API tokens, newest first. */
export const tokenListOptions = queryOptions({
  queryKey: tokenKeys.list,
  queryFn: ({ signal }) =>
    allPages((cursor) => api.get('/tokens', pageOf(tokenSchema), { query: { limit: 100, cursor }, signal })),
});

export function useCreateToken() {
  return useMutation({
    mutationFn: (input: TokenInput) => api.post('/tokens', input, newTokenSchema),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: tokenKeys.all }),
  });
}

export function useRevokeToken() {
  return useMutation({
    mutationFn: (token: Token) => api.call('DELETE', `/tokens/${token.id}`),
    onSuccess: () => void queryClient.invalidateQueries({ queryKey: tokenKeys.all }),
  });
}
