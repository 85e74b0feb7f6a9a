import { queryOptions } from '@tanstack/vue-query';
import { z } from 'zod';
import { api, ApiProblem, pageOf } from '../api/client';
import { queryClient } from '../api/query-client';
import { below } from './chosen-files';
import { overlayKeys } from './queries';
import type { Chosen } from './uploads';

const unfinishedSchema = z.object({
  id: z.number(),
  path: z.string().nullable(),
  archive: z.object({ target: z.string(), mode: z.enum(['merge', 'replace']) }).nullable(),
  size: z.number(),
  offset: z.number(),
  active: z.boolean(),
  unpackedFiles: z.number().nullable(),
  source: z.object({ name: z.string(), modifiedAt: z.string() }).nullable(),
});
/** An upload in pieces that the panel has not got whole. */
export type Unfinished = z.output<typeof unfinishedSchema>;

const keyOf = (overlay: number) => [...overlayKeys.all, 'uploads', overlay] as const;

/** The user's own into one overlay, newest first. */
export function unfinishedOptions(overlay: number) {
  return queryOptions({
    queryKey: keyOf(overlay),
    queryFn: ({ signal }) => readUnfinished(overlay, signal),
    staleTime: 0,
  });
}

export async function readUnfinished(overlay: number, signal: AbortSignal): Promise<Unfinished[]> {
  return (await api.get(`/overlays/${overlay}/uploads`, pageOf(unfinishedSchema), { signal })).items;
}

export function refreshUnfinished(overlay: number): void {
  void queryClient.invalidateQueries({ queryKey: keyOf(overlay) });
}

/** Deletes what has come of these uploads. What cannot be deleted is in the list again. */
export async function giveUp(overlay: number, ids: readonly number[]): Promise<void> {
  queryClient.setQueryData<Unfinished[]>(keyOf(overlay), (list) => list?.filter(({ id }) => !ids.includes(id)));
  try {
    await Promise.all(ids.map(remove));
  } finally {
    refreshUnfinished(overlay);
  }
}

async function remove(id: number): Promise<void> {
  try {
    await api.call('DELETE', `/uploads/${id}`);
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 404) throw error;
  }
}

/** What tells the panel, and later this console, which file an upload is of. */
export function sourceOf(file: File): { name: string; modifiedAt: string } {
  return { name: file.name, modifiedAt: new Date(file.lastModified).toISOString() };
}

/** What is sent to go on with an upload; null: that is another file. */
export function goingOn(upload: Unfinished, file: File): Chosen | null {
  const { source, size, path, archive } = upload;
  const { name, modifiedAt } = sourceOf(file);
  if (source === null || source.name !== name || source.modifiedAt !== modifiedAt || size !== file.size) return null;
  if (archive !== null) return { file, path: below(archive.target, name), unpack: archive };
  return path === null ? null : { file, path };
}

/** Whether an upload is of this file and to the same place. */
export function isOf(upload: Unfinished, { file, path, unpack }: Chosen): boolean {
  const same = goingOn(upload, file);
  return same !== null && same.path === path && same.unpack?.mode === unpack?.mode;
}
