import { occurrences, SHORTEST_MASKED } from './occurrences.js';

/** What stands in a line, or in what is only shown, instead of a secret. */
export const MASK = '***';

/** Takes secrets out of lines of logs. Without secrets it costs nothing. */
export class LineMask {
  static readonly none = new LineMask([]);

  private readonly values: readonly string[];

  /** @param values those shorter than `SHORTEST_MASKED` are left alone */
  constructor(values: readonly string[]) {
    this.values = [...new Set(values)].filter((value) => value.length >= SHORTEST_MASKED);
  }

  /** The line with a fixed mask for each secret, whatever its length. */
  apply(line: string): string {
    if (this.values.length === 0) return line;
    let masked = '';
    let end = 0;
    for (const { from, to } of occurrences(line, this.values)) {
      masked += line.slice(end, from) + MASK;
      end = to;
    }
    return masked + line.slice(end);
  }
}
