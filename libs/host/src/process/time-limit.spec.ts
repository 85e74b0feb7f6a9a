import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { timeLimit } from './time-limit.js';

/** A signal that is part of another one, and that nothing else holds. */
function waiting(): Promise<unknown> {
  return once(AbortSignal.any([new AbortController().signal, timeLimit(300)]), 'abort');
}

it('aborts although garbage was collected meanwhile', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const ended = waiting();
  for (let i = 0; i < 5; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    collect();
  }
  await expect(Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000, 'never'))])).resolves.not.toBe(
    'never',
  );
});
