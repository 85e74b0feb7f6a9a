/** A measured value beside what it is compared with in the same run. */
export interface Figure {
  name: string;
  value: number;
  /** `ms`, `jobs/s`, … */
  unit: string;
  /** What it is compared with; null: it stands alone. */
  reference: string | null;
  /** In the same unit. */
  referenceValue: number | null;
  /** value / referenceValue */
  ratio: number | null;
  /** In words; null: the figure has none. */
  goal: string | null;
  met: boolean | null;
}

/** What is demanded: of the ratio where there is a reference, of the value by itself otherwise. */
export type Goal = { of: 'ratio' | 'value'; atMost: number } | { of: 'ratio' | 'value'; atLeast: number };

/** Puts a value beside its reference and judges it. */
export function figure(
  name: string,
  value: number,
  unit: string,
  reference: { name: string; value: number } | null,
  goal: Goal | null,
): Figure {
  const ratio = reference === null ? null : value / reference.value;
  const about = {
    name,
    value,
    unit,
    reference: reference?.name ?? null,
    referenceValue: reference?.value ?? null,
    ratio,
  };
  if (goal === null) return { ...about, goal: null, met: null };
  const judged = goal.of === 'ratio' ? ratio : value;
  if (judged === null) throw new Error(`${name}: a ratio needs a reference`);
  const what = goal.of === 'ratio' ? 'ratio ' : '';
  return 'atMost' in goal
    ? { ...about, goal: `${what}≤ ${goal.atMost}`, met: judged <= goal.atMost }
    : { ...about, goal: `${what}≥ ${goal.atLeast}`, met: judged >= goal.atLeast };
}
