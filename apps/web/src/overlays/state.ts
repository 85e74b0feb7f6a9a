import type { User } from '../users/schema';
import type { Overlay } from './schema';

/** Never built, and nothing there to build. */
export function isEmpty({ kind, draft, currentRevision }: Overlay): boolean {
  const untouched = kind === 'files' ? draft.files === 0 : draft.modifiedAt === null;
  return untouched && currentRevision === null;
}

/** Whether the user may edit and build it: admins everything, others what is theirs and not the catalog's. */
export function mayChange({ catalog, ownerId }: Overlay, user: User | null): boolean {
  return user !== null && (user.role === 'admin' || (!catalog && ownerId === user.id));
}
