interface Page<T> {
  items: T[];
  nextCursor: string | null;
}

/** Reads a whole collection, page by page: for lists of things people make by hand, which stay small. */
export async function allPages<T>(read: (cursor: string | null) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<T> = await read(cursor);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}
