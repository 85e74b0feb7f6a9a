import { expect, it } from 'vitest';
import { Unavailable } from './problems.js';
import { UserPlaces } from './user-places.js';

const never = new AbortController().signal;

/** Work that lasts until it is told to end. */
function lasting() {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { work: () => ended, end };
}

it('nobody takes more than one place, however much they ask for', async () => {
  const places = new UserPlaces(2, 'working for two', 10_000);
  const mine = lasting();
  const events: string[] = [];
  const many = [1, 2, 3].map((n) => places.hold(1, () => mine.work().then(() => void events.push(`mine ${n}`)), never));
  await places.hold(2, async () => void events.push('theirs'), never);
  mine.end();
  await Promise.all(many);
  expect(events).toEqual(['theirs', 'mine 1', 'mine 2', 'mine 3']);
});

it('whoever waits for long is told when to come back, and whoever leaves waits no more', async () => {
  const places = new UserPlaces(1, 'working for one', 20);
  const long = lasting();
  const first = places.hold(1, long.work, never);
  await expect(places.hold(2, () => Promise.resolve(), never)).rejects.toMatchObject({
    constructor: Unavailable,
    message: 'The panel is already working for one: send this again in a moment.',
    retryAfter: 15,
  });
  const patient = new UserPlaces(1, 'working for one', 10_000);
  const held = patient.hold(1, long.work, never);
  await expect(patient.hold(2, () => Promise.resolve(), AbortSignal.abort())).rejects.toBeInstanceOf(Unavailable);
  long.end();
  await Promise.all([first, held]);
  expect(await places.hold(2, () => Promise.resolve('done'), never)).toBe('done');
});
