/** What servers keep whatever the layers bring: statistics, bans, logs, demos. */
export const KEPT_FILES: readonly string[] = ['*.sq3*', 'banned_*.cfg', 'logs/', '*.dem'];

/** Why a pattern cannot be used; null when it can. */
export function keptFileProblem(pattern: string): string | null {
  if (pattern.startsWith('/') || pattern.split('/').includes('..')) return 'must be relative to any folder of the game';
  return /^[^\p{Cc}]{1,255}$/u.test(pattern) ? null : 'must have 1 to 255 characters';
}

/**
 * Whether a path is one of these. A pattern is a name, or the end of a path; with `/` behind it is a folder with all it holds. `*` and
 * `?` stand for characters of one name.
 */
export class KeptFiles {
  private readonly pattern: RegExp | null;

  constructor(patterns: readonly string[]) {
    const parts = patterns.map((pattern) => `(${toSource(pattern)}${pattern.endsWith('/') ? '' : '$'})`);
    this.pattern = parts.length === 0 ? null : new RegExp(`(?:^|/)(?:${parts.join('|')})`);
  }

  /** @param path of a file; of a folder with `/` behind */
  has(path: string): boolean {
    return this.indexOf(path) >= 0;
  }

  /** Which of the patterns it is that a path matches; -1: none. */
  indexOf(path: string): number {
    const [, ...groups] = this.pattern?.exec(path) ?? [];
    return groups.findIndex((group) => group !== undefined);
  }
}

function toSource(pattern: string): string {
  return pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
}
