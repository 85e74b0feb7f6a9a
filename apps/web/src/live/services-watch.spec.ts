import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ServiceName, ServicesWatch } from './services-watch';

let missing: readonly ServiceName[] | null;
let asked: number;
let seen: (readonly ServiceName[])[];
let watch: ServicesWatch;

beforeEach(() => {
  vi.useFakeTimers();
  [missing, asked, seen] = [[], 0, []];
  watch = new ServicesWatch({
    ask: () => {
      asked += 1;
      return Promise.resolve(missing);
    },
    onChange: (away) => seen.push(away),
  });
});
afterEach(() => {
  watch.stop();
  vi.useRealTimers();
});

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000);

describe('a service that does not answer', () => {
  it('is away within ten seconds, and back by itself', async () => {
    watch.start();
    await pass(0);
    missing = ['redis'];
    await pass(10);
    expect(seen).toEqual([['redis']]);
    missing = [];
    await pass(5);
    expect(seen).toEqual([['redis'], []]);
  });

  it('is not called away after one slow answer', async () => {
    watch.start();
    await pass(7.9);
    missing = ['postgres'];
    await pass(0.2);
    missing = [];
    await pass(30);
    expect(seen).toEqual([]);
  });

  it('joins another that is away', async () => {
    missing = ['redis'];
    watch.start();
    await pass(2);
    missing = ['postgres', 'redis'];
    await pass(6);
    expect(seen).toEqual([['redis'], ['postgres', 'redis']]);
  });

  it('is nothing that an unreachable panel could tell', async () => {
    missing = ['redis'];
    watch.start();
    await pass(2);
    missing = null;
    await pass(5);
    expect(seen).toEqual([['redis'], []]);
  });
});

describe('the panel', () => {
  it('is asked gently, and at once after a failure, but not once for each of many', async () => {
    watch.start();
    watch.start();
    await pass(60);
    expect(asked).toBe(8);
    for (let failures = 0; failures < 15; failures += 1) {
      watch.hurry();
      await pass(0.1);
    }
    expect(asked).toBe(10);
  });

  it('is not asked while nobody looks', async () => {
    watch.start();
    await pass(1);
    watch.stop();
    watch.hurry();
    await pass(60);
    expect(asked).toBe(1);
    watch.start();
    await pass(0);
    expect(asked).toBe(2);
  });
});
