import { type QueryClient, infiniteQueryOptions, queryOptions, useMutation } from '@tanstack/vue-query';
import { allPages } from '../api/all-pages';
import { api, pageOf } from '../api/client';
import { queryClient } from '../api/query-client';
import { applyJob } from '../jobs/queries';
import { jobSchema } from '../jobs/schema';
import { Pushed } from '../live/pushed';
import {
  differenceSchema,
  type Overlay,
  type OverlayInput,
  folderSchema,
  overlaySchema,
  revisionItemSchema,
  warningsSchema,
} from './schema';

export const overlayKeys = {
  all: ['overlays'] as const,
  list: ['overlays', 'list'] as const,
  detail: (id: number) => ['overlays', 'detail', id] as const,
  revisions: (id: number) => ['overlays', 'revisions', id] as const,
  differences: (id: number, from: string, to: string) => ['overlays', 'differences', id, from, to] as const,
  files: (id: number) => ['overlays', 'files', id] as const,
  folder: (id: number, revision: number | null, path: string) => ['overlays', 'files', id, revision, path] as const,
};

const pushed = new Pushed<Overlay>();

function byName(left: Overlay, right: Overlay): number {
  return left.name.localeCompare(right.name, 'en', { numeric: true });
}

/** The catalog's overlays and the user's own, by name. */
export const overlayListOptions = queryOptions({
  queryKey: overlayKeys.list,
  queryFn: async ({ signal }) => {
    const mark = pushed.mark();
    const items = await allPages((cursor) =>
      api.get('/overlays', pageOf(overlaySchema), { query: { limit: 100, cursor }, signal }),
    );
    return pushed.freshenAll(items, mark).sort(byName);
  },
});

export function overlayOptions(id: number) {
  return queryOptions({
    queryKey: overlayKeys.detail(id),
    queryFn: async ({ signal }) => {
      const mark = pushed.mark();
      return pushed.freshest(await api.get(`/overlays/${id}`, overlaySchema, { signal }), mark);
    },
    placeholderData: () => queryClient.getQueryData<Overlay[]>(overlayKeys.list)?.find((overlay) => overlay.id === id),
  });
}

export function revisionsOptions(id: number) {
  return queryOptions({
    queryKey: overlayKeys.revisions(id),
    queryFn: ({ signal }) =>
      allPages((cursor) =>
        api.get(`/overlays/${id}/revisions`, pageOf(revisionItemSchema), { query: { cursor }, signal }),
      ),
  });
}

/** What changes from a revision to another, or to the draft (`to` is then `draft`). */
export function differencesOptions(id: number, from: string, to: string) {
  return infiniteQueryOptions({
    queryKey: overlayKeys.differences(id, from, to),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      api.get(`/overlays/${id}/revisions/${from}/diff`, pageOf(differenceSchema), {
        signal,
        query: { to, cursor: pageParam },
      }),
    getNextPageParam: (page) => page.nextCursor,
    // A draft changes without anybody telling this list.
    staleTime: 0,
  });
}

/** One folder of the draft (revision null) or of a published revision, page by page. */
export function folderOptions(id: number, revision: number | null, path: string) {
  return infiniteQueryOptions({
    queryKey: overlayKeys.folder(id, revision, path),
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) =>
      api.get(`/overlays/${id}/files`, folderSchema, { query: { path, revision, cursor: pageParam }, signal }),
    getNextPageParam: (page) => page.nextCursor,
  });
}

/** What the game will not take of the draft. Under the files' key: a change of those asks anew. */
export function warningsOptions(id: number) {
  return queryOptions({
    queryKey: [...overlayKeys.files(id), 'warnings'],
    queryFn: ({ signal }) => api.get(`/overlays/${id}/warnings`, warningsSchema, { signal }),
  });
}

/** Writes one overlay, from an answer or a live message, where it is shown. */
export function applyOverlay(client: QueryClient, overlay: Overlay): void {
  pushed.note(overlay);
  const before = client.getQueryData<Overlay>(overlayKeys.detail(overlay.id));
  client.setQueryData<Overlay>(overlayKeys.detail(overlay.id), overlay);
  client.setQueryData<Overlay[]>(
    overlayKeys.list,
    (list) => list && [...list.filter((item) => item.id !== overlay.id), overlay].sort(byName),
  );
  if (before && before.currentRevision?.number !== overlay.currentRevision?.number) {
    void client.invalidateQueries({ queryKey: overlayKeys.revisions(overlay.id) });
  }
  if (before && before.draft.modifiedAt !== overlay.draft.modifiedAt) {
    void client.invalidateQueries({ queryKey: overlayKeys.files(overlay.id) });
  }
}

export function forgetOverlay(client: QueryClient, id: number): void {
  pushed.forget(id);
  client.setQueryData<Overlay[]>(overlayKeys.list, (list) => list?.filter((item) => item.id !== id));
  void client.invalidateQueries({ queryKey: overlayKeys.detail(id) });
}

/** After files of the draft changed: the folder, and the overlay's counts. */
export function refreshDraft(id: number): void {
  void queryClient.invalidateQueries({ queryKey: overlayKeys.files(id) });
  void queryClient.invalidateQueries({ queryKey: overlayKeys.detail(id) });
  void queryClient.invalidateQueries({ queryKey: overlayKeys.list });
}

export function useCreateOverlay() {
  return useMutation({
    mutationFn: (input: OverlayInput) => api.post('/overlays', input, overlaySchema),
    onSuccess: (overlay) => applyOverlay(queryClient, overlay),
  });
}

export function useChangeOverlay() {
  return useMutation({
    mutationFn: ({ id, change }: { id: number; change: Partial<OverlayInput> }) =>
      api.patch(`/overlays/${id}`, change, overlaySchema),
    onSuccess: (overlay) => applyOverlay(queryClient, overlay),
  });
}

export function useDeleteOverlay() {
  return useMutation({
    mutationFn: (overlay: Overlay) => api.call('DELETE', `/overlays/${overlay.id}`),
    onSuccess: (_, overlay) => forgetOverlay(queryClient, overlay.id),
  });
}

/** Goes back to an earlier revision, or forth again. */
export function useMakeCurrent() {
  return useMutation({
    mutationFn: ({ id, number }: { id: number; number: number }) =>
      api.put(`/overlays/${id}/current-revision`, { number }, overlaySchema),
    onSuccess: (overlay) => applyOverlay(queryClient, overlay),
  });
}

export function useBuildOverlay() {
  return useMutation({
    mutationFn: (overlay: Overlay) => api.post(`/overlays/${overlay.id}/builds`, undefined, jobSchema),
    onSuccess: (job) => applyJob(queryClient, job),
  });
}

/** Deletes a file or a folder with everything in it from the draft. */
export function useDeleteFile() {
  return useMutation({
    mutationFn: ({ id, path }: { id: number; path: string }) =>
      api.call('DELETE', `/overlays/${id}/files/content`, { query: { path } }),
    onSuccess: (_, { id }) => refreshDraft(id),
  });
}

/** @param merge whether the content of a folder may go into one that is there already */
export function useMoveFile() {
  return useMutation({
    mutationFn: ({ id, ...body }: { id: number; from: string; to: string; merge: boolean }) =>
      api.call('POST', `/overlays/${id}/files/move`, { body }),
    onSuccess: (_, { id }) => refreshDraft(id),
  });
}

export function useMakeFolder() {
  return useMutation({
    mutationFn: ({ id, path }: { id: number; path: string }) =>
      api.call('POST', `/overlays/${id}/folders`, { body: { path } }),
    onSuccess: (_, { id }) => refreshDraft(id),
  });
}
