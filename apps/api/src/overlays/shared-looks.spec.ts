import { setTimeout as sleep } from 'node:timers/promises';
import { Interrupted } from '@left4me/host';
import { expect, it } from 'vitest';
import { Unavailable } from '../problems/problems.js';
import { SharedLooks } from './shared-looks.js';

/** Looks until it is told what it found, or to stop. */
function looking() {
  const begun: AbortSignal[] = [];
  let tell = (): void => undefined;
  const told = new Promise<string>((resolve) => (tell = () => resolve('found')));
  const look = async (signal: AbortSignal): Promise<string> => {
    begun.push(signal);
    const stopped = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new Interrupted('looking')), { once: true }),
    );
    return Promise.race([told, stopped]);
  };
  return { begun, tell: () => tell(), look };
}

it('look once for all who ask at the same time, and again for who asks later', async () => {
  const looks = new SharedLooks<string>('Looking', 60_000);
  const { begun, tell, look } = looking();
  const [one, two] = [new AbortController(), new AbortController()];
  const found = [looks.at('a', one.signal, look), looks.at('a', two.signal, look)];
  const other = looks.at('b', one.signal, look);
  expect(begun).toHaveLength(2);
  tell();
  expect(await Promise.all([...found, other])).toEqual(['found', 'found', 'found']);
  await looks.at('a', one.signal, look);
  expect(begun).toHaveLength(3);
});

it('go on while one of them waits, and end with the last', async () => {
  const looks = new SharedLooks<string>('Looking', 60_000);
  const { begun, look } = looking();
  const [one, two, three] = [new AbortController(), new AbortController(), new AbortController()];
  const ended = [looks.at('a', one.signal, look), looks.at('a', two.signal, look)];
  one.abort();
  expect(begun[0]?.aborted).toBe(false);
  two.abort();
  expect(begun[0]?.aborted).toBe(true);
  // Not the one that is about to end.
  ended.push(looks.at('a', three.signal, look));
  expect(begun).toHaveLength(2);
  three.abort();
  for (const result of await Promise.allSettled(ended)) {
    expect(result).toMatchObject({ status: 'rejected', reason: expect.any(Interrupted) });
  }
  await expect(looks.at('a', three.signal, look)).rejects.toThrow(Interrupted);
  expect(begun).toHaveLength(2);
});

it('end at their limit, which is told', async () => {
  const looks = new SharedLooks<string>('Looking at the draft', 50);
  const { look } = looking();
  const found = looks.at('a', new AbortController().signal, look);
  await expect(found).rejects.toThrow(Unavailable);
  await expect(found).rejects.toThrow('Looking at the draft took longer than 0.05 s and was stopped.');
  const slow = looks.at('b', new AbortController().signal, async () => (await sleep(80), 'found after all'));
  expect(await slow).toBe('found after all');
});
