import { queryOptions, useMutation } from '@tanstack/vue-query';
import { z } from 'zod';
import { api } from '../api/client';
import { queryClient } from '../api/query-client';
import { refreshDraft } from '../overlays/queries';

const scriptSchema = z.object({ script: z.string(), hash: z.string() });
export type Script = z.infer<typeof scriptSchema>;

const keys = { of: (overlay: number) => ['overlays', 'script', overlay] as const };

export function scriptOptions(overlay: number) {
  return queryOptions({
    queryKey: keys.of(overlay),
    queryFn: ({ signal }) => api.get(`/overlays/${overlay}/script`, scriptSchema, { signal }),
  });
}

/** `basedOn`: the hash of the script that was edited; refused when somebody has changed it since. */
export function useSaveScript(overlay: number) {
  return useMutation({
    mutationFn: (input: { script: string; basedOn: string }) =>
      api.put(`/overlays/${overlay}/script`, input, scriptSchema),
    onSuccess: (script) => {
      queryClient.setQueryData(keys.of(overlay), script);
      refreshDraft(overlay);
    },
  });
}
