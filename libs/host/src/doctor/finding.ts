/** One thing that was looked at, for a person. */
export interface Finding {
  /** `warning`: it works, but not as well as it should. */
  state: 'good' | 'warning' | 'bad';
  /** What was looked at, a word or two. */
  about: string;
  /** What was found, a sentence. */
  found: string;
  /** What to do; null when it is good. */
  mend: string | null;
}

export function good(about: string, found: string): Finding {
  return { state: 'good', about, found, mend: null };
}

export function warning(about: string, found: string, mend: string): Finding {
  return { state: 'warning', about, found, mend };
}

export function bad(about: string, found: string, mend: string): Finding {
  return { state: 'bad', about, found, mend };
}
