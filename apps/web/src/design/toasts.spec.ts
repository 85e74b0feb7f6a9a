import { describe, expect, it } from 'vitest';
import { effectScope, nextTick, ref } from 'vue';
import { ApiProblem } from '../api/client';
import { useFormErrors } from './form-errors';
import { useToasts } from './toasts';

describe('a message', () => {
  it('goes when a form shows an error of its own', async () => {
    const { toasts, say } = useToasts();
    const error = ref<Error | null>(null);
    const scope = effectScope();
    scope.run(() => useFormErrors(error, ['name']));
    say('Saved.');
    expect(toasts.value.map((toast) => toast.text)).toEqual(['Saved.']);
    error.value = new ApiProblem({ status: 409, title: 'The name is taken' });
    await nextTick();
    expect(toasts.value).toEqual([]);
    scope.stop();
  });
});
