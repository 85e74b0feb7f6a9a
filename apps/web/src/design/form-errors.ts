import { type Ref, computed, watch } from 'vue';
import { ApiProblem, explain } from '../api/client';
import { clearToasts } from './toasts';

interface FieldProblem {
  path: string;
  message: string;
}

/**
 * Sorts a failed call's problem onto a form's fields; what belongs to none of them is left for the form itself.
 * @param open those that still are, where a form is edited for long after it was refused
 */
export function useFormErrors(
  error: Ref<Error | null>,
  fields: readonly string[],
  open: (problems: FieldProblem[]) => FieldProblem[] = (problems) => problems,
) {
  watch(error, (now) => now && clearToasts());
  const refused = computed(() =>
    error.value instanceof ApiProblem
      ? error.value.fields.map(({ path, message }) => ({ path, message: sentence(message) }))
      : [],
  );
  const problems = computed(() => open(refused.value));
  const owner = (path: string): string | undefined =>
    fields.find((field) => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`));
  const field = (name: string): string | null =>
    problems.value
      .filter((problem) => owner(problem.path) === name)
      .map((problem) => problem.message)
      .join('\n') || null;
  const rest = computed(() => {
    if (!error.value) return null;
    const homeless = problems.value.filter((problem) => owner(problem.path) === undefined);
    if (homeless.length > 0) return homeless.map((problem) => `${problem.path}: ${problem.message}`).join(' ');
    return refused.value.length > 0 ? null : explain(error.value);
  });
  return { field, rest, problems };
}

/** "must be a number" stands alone at a field. */
function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
