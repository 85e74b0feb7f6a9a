import type { FieldError } from '../problems/problems.js';
import { checkTemplate } from './template.js';

/** Bytes, and characters too, since it is ASCII. */
export const MAX_CONFIG_LENGTH = 65_536;
const MAX_REPORTED = 20;

/** Line ends of every kind become `\n`: a lone carriage return would hide the end of a line from the checks. */
export function normalizeLines(text: string): string {
  return text.replaceAll(/\r\n?/g, '\n');
}

/**
 * Checks the lines of a server.cfg (normalized): plain ASCII, since other bytes may crash the server, and known variables.
 * @param secrets the names of the secrets there are
 */
export function checkConfig(config: string, secrets: ReadonlySet<string>): FieldError[] {
  if (config.length > MAX_CONFIG_LENGTH)
    return [{ path: 'config', message: `has more than ${MAX_CONFIG_LENGTH} characters` }];
  const errors: FieldError[] = [];
  for (const [index, line] of config.split('\n').entries()) {
    const column = line.search(/[^\t\x20-\x7e]/);
    if (column >= 0) {
      const code = (line.codePointAt(column) ?? 0).toString(16).toUpperCase().padStart(4, '0');
      errors.push({ path: 'config', message: `line ${index + 1}, column ${column + 1}: U+${code} is not plain ASCII` });
    }
  }
  for (const error of checkTemplate(config, secrets)) {
    errors.push({ path: 'config', message: `line ${error.line}, column ${error.column}: ${error.message}` });
  }
  return errors.slice(0, MAX_REPORTED);
}
