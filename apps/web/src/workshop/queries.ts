import { queryOptions, useMutation } from '@tanstack/vue-query';
import { api } from '../api/client';
import { queryClient } from '../api/query-client';
import { overlayKeys } from '../overlays/queries';
import { type ItemList, itemListSchema } from './schema';

const keyOf = (overlay: number) => [...overlayKeys.files(overlay), 'workshop-items'] as const;

/** An overlay's items; like its draft's files, fetched again whenever those have changed. */
export function itemsOptions(overlay: number) {
  return queryOptions({
    queryKey: keyOf(overlay),
    queryFn: ({ signal }) => api.get(`/overlays/${overlay}/workshop-items`, itemListSchema, { signal }),
  });
}

export function refetchItems(overlay: number): void {
  void queryClient.invalidateQueries({ queryKey: keyOf(overlay) });
}

function keep(overlay: number, list: ItemList): void {
  queryClient.setQueryData<ItemList>(keyOf(overlay), list);
  void queryClient.invalidateQueries({ queryKey: overlayKeys.detail(overlay) });
}

export function useAddItems(overlay: number) {
  return useMutation({
    mutationFn: (ids: readonly string[]) => api.post(`/overlays/${overlay}/workshop-items`, { ids }, itemListSchema),
    onSuccess: (list) => keep(overlay, list),
  });
}

/** Asks Steam what is new. */
export function useRefreshItems(overlay: number) {
  return useMutation({
    mutationFn: () => api.post(`/overlays/${overlay}/workshop-items/refresh`, undefined, itemListSchema),
    onSuccess: (list) => keep(overlay, list),
  });
}

export function useRenameItem(overlay: number) {
  return useMutation({
    mutationFn: ({ item, fileName }: { item: string; fileName: string | null }) =>
      api.patch(`/overlays/${overlay}/workshop-items/${item}`, { fileName }, itemListSchema),
    onSuccess: (list) => keep(overlay, list),
  });
}

export function useRemoveItem(overlay: number) {
  return useMutation({
    mutationFn: (item: string) => api.call('DELETE', `/overlays/${overlay}/workshop-items/${item}`),
    onSuccess: () => {
      refetchItems(overlay);
      void queryClient.invalidateQueries({ queryKey: overlayKeys.detail(overlay) });
    },
  });
}
