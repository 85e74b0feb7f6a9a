/** Texts shorter than this are never masked: they are everywhere, and masking them would tell what they are. */
export const SHORTEST_MASKED = 4;

/** From `from` to before `to`. */
export interface Range {
  from: number;
  to: number;
}

/** Where the values stand in a text or in bytes, in order; what overlaps or touches is one range. */
export function occurrences<T extends string | Uint8Array>(
  text: { indexOf(value: T, from: number): number },
  values: readonly T[],
): Range[] {
  const found: Range[] = [];
  for (const value of values) {
    for (let from = text.indexOf(value, 0); from >= 0; from = text.indexOf(value, from + 1)) {
      found.push({ from, to: from + value.length });
    }
  }
  return found.length > 1 ? merged(found) : found;
}

function merged(ranges: Range[]): Range[] {
  const joined: Range[] = [];
  for (const range of ranges.sort((left, right) => left.from - right.from)) {
    const last = joined.at(-1);
    if (last && range.from <= last.to) last.to = Math.max(last.to, range.to);
    else joined.push({ ...range });
  }
  return joined;
}
