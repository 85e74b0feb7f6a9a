import type { BlueprintInput } from './schema';

export interface FieldProblem {
  path: string;
  message: string;
}

/** What the panel refused, as far as that is still there: what was changed since is judged anew by the next save or preview. */
export function openProblems(
  problems: readonly FieldProblem[],
  sent: BlueprintInput,
  now: BlueprintInput,
): FieldProblem[] {
  return problems
    .filter(({ path, message }) => {
      const [before, after] = [valueAt(sent, path), valueAt(now, path)];
      const line = lineOf(message);
      if (line === null || typeof before !== 'string' || typeof after !== 'string')
        return JSON.stringify(before) === JSON.stringify(after);
      // Lines move when others are written or removed above them.
      const wrong = before.split('\n')[line - 1];
      return wrong !== undefined && after.split('\n').includes(wrong);
    })
    .sort((left, right) => (lineOf(left.message) ?? 0) - (lineOf(right.message) ?? 0));
}

function lineOf(message: string): number | null {
  const [, line] = /^line (\d+)/i.exec(message) ?? [];
  return line === undefined ? null : Number(line);
}

function valueAt(input: BlueprintInput, path: string): unknown {
  let value: unknown = input;
  for (const step of path.split('.')) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Object.entries(value).find(([key]) => key === step)?.[1];
  }
  return value;
}
