/** Texts shorter than this are never masked: they are everywhere, and masking them would tell what they are. */
export const SHORTEST_MASKED = 4;

/** From `from` to before `to`. */
export interface Range {
  from: number;
  to: number;
}

/** A text or bytes, as far as they are searched. */
interface Searchable<T> extends ArrayLike<string | number> {
  indexOf(value: T, from: number): number;
}

/** Where the values stand in a text or in bytes, in order; what overlaps or touches is one range. */
export function occurrences<T extends string | Uint8Array>(text: Searchable<T>, values: readonly T[]): Range[] {
  const found = values.flatMap((value) => occurrencesOf(text, value));
  return found.length > 1 ? merged(found) : found;
}

/**
 * A value that repeats itself (`aaaa`) may begin anew at every place of a text that does so too: a run of its period is followed to its
 * end at once, or a server could keep whoever reads its output busy.
 */
function occurrencesOf<T extends string | Uint8Array>(text: Searchable<T>, value: T): Range[] {
  const found: Range[] = [];
  let period = 0;
  for (let from = text.indexOf(value, 0); from >= 0;) {
    period ||= periodOf(value);
    let to = from + value.length;
    while (to < text.length && text[to] === text[to - period]) to += 1;
    found.push({ from, to: to - ((to - from - value.length) % period) });
    // Whatever begins before this ends within the run.
    from = text.indexOf(value, Math.max(from + 1, to - value.length + 1));
  }
  return found;
}

/** The shortest distance at which a value can overlap itself; its length where it cannot (Knuth, Morris and Pratt's table). */
function periodOf(value: ArrayLike<string | number>): number {
  const borders = [0];
  for (let at = 1, border = 0; at < value.length; at += 1) {
    while (border > 0 && value[at] !== value[border]) border = borders[border - 1] ?? 0;
    if (value[at] === value[border]) border += 1;
    borders.push(border);
  }
  return value.length - (borders.at(-1) ?? 0);
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
