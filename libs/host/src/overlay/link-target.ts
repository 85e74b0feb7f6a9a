/**
 * Why a link in the folder `parents` must not be published; null when its target stays inside its tree. `..` may only
 * lead the way: after a name it would depend on what that name is, and a link there could lead outside.
 */
export function linkProblem(parents: readonly string[], target: string): string | null {
  if (target.startsWith('/')) return 'the link is absolute';
  let up = 0;
  let named = false;
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') named = true;
    else if (named) return 'the link has ".." behind a name';
    else up++;
  }
  return up > parents.length ? 'the link leads outside' : null;
}
