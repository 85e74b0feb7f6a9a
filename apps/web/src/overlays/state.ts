import type { Overlay } from './schema';

/** Never built, and nothing there to build. */
export function isEmpty({ kind, draft, currentRevision }: Overlay): boolean {
  const untouched = kind === 'files' ? draft.files === 0 : draft.modifiedAt === null;
  return untouched && currentRevision === null;
}
