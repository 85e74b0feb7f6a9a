/** A line that a program printed. */
export interface PrintedLine {
  stream: 'stdout' | 'stderr';
  line: string;
}

/** How far from the end the last line of stderr may be and still be the program's last word. */
const NEAR_THE_END = 3;
/** Longer ones are cut: the whole line is in the log. */
const LIMIT = 300;
const WORDS =
  /\b(errors?|fail(ed|s|ure)?|fatal|fault|abort(ed)?|cannot|can't|couldn't|could not|unable|no such|not found|denied|refused|invalid|missing|in use)\b/i;

/**
 * Of a failed program's last lines the one that most likely says why: what it said on stderr at the very end, else the last that
 * speaks of a failure, else the last. Null: it said nothing.
 */
export function tellingLine(lines: readonly PrintedLine[]): string | null {
  const said = lines.filter(({ line }) => line.trim() !== '');
  const chosen =
    said.slice(-NEAR_THE_END).findLast(({ stream }) => stream === 'stderr') ??
    said.findLast(({ line }) => WORDS.test(line)) ??
    said.at(-1);
  if (!chosen) return null;
  const text = chosen.line.trim();
  return text.length > LIMIT ? `${text.slice(0, LIMIT)}…` : text;
}
