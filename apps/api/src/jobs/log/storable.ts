/** Longest stored line, in UTF-16 code units. */
const LINE_LIMIT = 4096;

/** Terminal escapes stay, as data; what PostgreSQL cannot store and what nobody can read does not. */
export function storable(line: string): string {
  const text = line.length > LINE_LIMIT ? `${line.slice(0, LINE_LIMIT)}… [cut: ${line.length} characters]` : line;
  return text.replaceAll('\0', '\uFFFD').toWellFormed();
}
