import { HostError } from '../errors.js';
import type { PageRequest } from './merged-tree.js';

/** What a page is made of: folders come first, then names in the order of their code units. */
export interface Placed {
  name: string;
  isFolder: boolean;
}

/**
 * The items after the cursor, as many as a page has. A cursor names a place, not an item: what it was made of may be gone.
 * @throws HostError `bad-cursor`
 */
export function cutPage<T extends Placed>(
  all: readonly T[],
  { limit, cursor }: PageRequest,
): { items: T[]; nextCursor: string | null } {
  const after = cursor === undefined ? null : placeOf(cursor);
  const rest = after === null ? [...all] : all.filter((item) => inOrder(after, item) < 0);
  rest.sort(inOrder);
  const items = rest.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rest.length > limit && last ? cursorOf(last) : null };
}

export function inOrder(a: Placed, b: Placed): number {
  const byType = Number(b.isFolder) - Number(a.isFolder);
  if (byType !== 0) return byType;
  return a.name === b.name ? 0 : a.name < b.name ? -1 : 1;
}

function cursorOf({ name, isFolder }: Placed): string {
  return `${isFolder ? 'd' : 'f'}/${name}`;
}

function placeOf(cursor: string): Placed {
  const [, type, name] = /^([df])\/([^/]+)$/s.exec(cursor) ?? [];
  if (name === undefined) throw new HostError('bad-cursor', 'the cursor is not one of an earlier answer');
  return { name, isFolder: type === 'd' };
}
