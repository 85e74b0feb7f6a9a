import { ApiProblem, explain } from '../api/client';

/** What is wrong with a script; `line` counts from 1, null: with all of it. */
export interface Complaint {
  line: number | null;
  message: string;
}

/** From what refused to save it: bash names lines, `line 3: syntax error …`. */
export function complaintsOf(error: unknown): Complaint[] {
  if (error === null) return [];
  const fields = error instanceof ApiProblem ? error.fields.filter(({ path }) => path === 'script') : [];
  if (fields.length === 0) return [{ line: null, message: explain(error) }];
  return fields.map(({ message }) => {
    const [, line, rest] = /^line (\d+): (.*)$/s.exec(message) ?? [];
    if (line === undefined || rest === undefined) return { line: null, message: `The script ${message}.` };
    return { line: Number(line), message: rest };
  });
}
