import { QueryClient } from '@tanstack/vue-query';
import { ApiProblem } from './client';

/** The only place where server state lives. Live messages (src/live) keep it fresh, so refetching is rare. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      retry: (failures, error) => {
        // What the API refused will be refused again; only silence and server faults are worth another try.
        if (error instanceof ApiProblem && error.status > 0 && error.status < 500) return false;
        return error instanceof ApiProblem && failures < 2;
      },
    },
    mutations: { retry: false },
  },
});
