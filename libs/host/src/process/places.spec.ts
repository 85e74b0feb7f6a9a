import { describe, expect, it } from 'vitest';
import { KeyedLock } from './keyed-lock.js';
import { Places } from './places.js';

describe('places', () => {
  it('let no more in at a time than there are, in order', async () => {
    const places = new Places(2, 'waiting for a test');
    const events: string[] = [];
    let most = 0;
    let now = 0;
    const work = (name: string) => async (): Promise<void> => {
      events.push(name);
      most = Math.max(most, (now += 1));
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
    };
    await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => places.hold(work(name))));
    expect({ events, most }).toEqual({ events: ['a', 'b', 'c', 'd', 'e'], most: 2 });
  });

  it('are given back once, also by work that failed', async () => {
    const places = new Places(1, 'waiting for a test');
    await expect(places.hold(() => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
    const release = await places.take();
    release();
    release();
    const again = await places.take();
    await expect(places.take(AbortSignal.abort())).rejects.toThrow('waiting for a test was interrupted');
    again();
  });

  it('are not lost by those who stop waiting, at whatever moment', async () => {
    const places = new Places(1, 'waiting for a test');
    const first = await places.take();
    const [early, late] = [new AbortController(), new AbortController()];
    const waiting = [places.take(early.signal), places.take(late.signal)];
    const ended = Promise.allSettled(waiting);
    early.abort();
    first(); // the second is given the place, and stops waiting at the same moment
    late.abort();
    expect((await ended).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    (await places.take())();
  });
});

it('a lock is held by one at a time per key, and whoever stops waiting lets nobody pass', async () => {
  const lock = new KeyedLock('waiting for a test');
  const events: string[] = [];
  let open = (): void => undefined;
  const first = lock.hold('a', () => new Promise<void>((resolve) => (open = resolve)));
  const stop = new AbortController();
  const second = lock.hold('a', () => Promise.resolve(), stop.signal);
  const third = lock.hold('a', async () => void events.push('third'));
  await lock.hold('b', async () => void events.push('other'));
  stop.abort();
  await expect(second).rejects.toThrow('waiting for a test was interrupted');
  events.push('first ends');
  open();
  await Promise.all([first, third]);
  expect(events).toEqual(['other', 'first ends', 'third']);
});
