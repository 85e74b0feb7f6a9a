import type { SecretFinder } from './secret-finder.js';

/** What stands in a line, or in what is only shown, instead of a secret. */
export const MASK = '***';

/** The line with a fixed mask for each secret, whatever its length. */
export function maskedLine(line: string, secrets: SecretFinder): string {
  let masked = '';
  let end = 0;
  for (const { from, to } of secrets.pass().over(line)) {
    masked += line.slice(end, from) + MASK;
    end = to;
  }
  return masked + line.slice(end);
}
