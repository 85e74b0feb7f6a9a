import { queryOptions, useMutation } from '@tanstack/vue-query';
import { z } from 'zod';
import { allPages } from '../api/all-pages';
import { api, pageOf } from '../api/client';
import { queryClient } from '../api/query-client';
import {
  type Blueprint,
  type BlueprintInput,
  blueprintSchema,
  type PreviewInput,
  previewSchema,
  variableSchema,
} from './schema';

export const blueprintKeys = {
  all: ['blueprints'] as const,
  list: ['blueprints', 'list'] as const,
  detail: (id: number) => ['blueprints', 'detail', id] as const,
  variables: ['blueprints', 'variables'] as const,
};

/** Every blueprint the user may see, by name. */
export const blueprintListOptions = queryOptions({
  queryKey: blueprintKeys.list,
  queryFn: async ({ signal }) => {
    const items = await allPages((cursor) =>
      api.get('/blueprints', pageOf(blueprintSchema), { query: { limit: 100, cursor }, signal }),
    );
    return items.sort((left, right) => left.name.localeCompare(right.name, 'en', { numeric: true }));
  },
});

/** The blueprints with an overlay, of those the user may see: by link or in words. */
export function blueprintsWith(overlayId: number) {
  return {
    ...blueprintListOptions,
    // Whether it may be deleted hangs on it.
    staleTime: 0,
    select: (blueprints: Blueprint[]) =>
      blueprints.filter(({ overlays }) => overlays.some((overlay) => overlay.overlayId === overlayId)),
  };
}

export function blueprintOptions(id: number) {
  return queryOptions({
    queryKey: blueprintKeys.detail(id),
    queryFn: ({ signal }) => api.get(`/blueprints/${id}`, blueprintSchema, { signal }),
  });
}

/** The variables a blueprint's texts may use, its owner's secrets among them; of a new one (null), one's own. */
export function variablesOptions(blueprintId: number | null) {
  return queryOptions({
    queryKey: [...blueprintKeys.variables, blueprintId],
    queryFn: async ({ signal }) => {
      const answer = await api.get('/blueprints/variables', z.object({ items: z.array(variableSchema) }), {
        query: { blueprintId },
        signal,
      });
      return answer.items;
    },
  });
}

/** Shows what an unsaved blueprint would generate. */
export function usePreview() {
  return useMutation({
    mutationFn: (input: PreviewInput) => api.post('/blueprints/preview', input, previewSchema),
  });
}

function refresh(): void {
  void queryClient.invalidateQueries({ queryKey: blueprintKeys.all });
  // What a blueprint changes shows up as its servers' pending changes.
  void queryClient.invalidateQueries({ queryKey: ['servers'] });
}

/** Creates (id null) or changes a blueprint. */
export function useSaveBlueprint() {
  return useMutation({
    mutationFn: ({ id, input }: { id: number | null; input: BlueprintInput }) =>
      id === null
        ? api.post('/blueprints', input, blueprintSchema)
        : api.patch(`/blueprints/${id}`, input, blueprintSchema),
    onSuccess: (blueprint) => {
      queryClient.setQueryData<Blueprint>(blueprintKeys.detail(blueprint.id), blueprint);
      refresh();
    },
  });
}

export function useDeleteBlueprint() {
  return useMutation({
    mutationFn: (blueprint: Blueprint) => api.call('DELETE', `/blueprints/${blueprint.id}`),
    onSuccess: (_, blueprint) => {
      queryClient.removeQueries({ queryKey: blueprintKeys.detail(blueprint.id) });
      refresh();
    },
  });
}
