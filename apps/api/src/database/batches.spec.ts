import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { Batches } from './batches.js';

describe('batches', () => {
  it('take together what is asked in one step, and what comes while they work', async () => {
    const seen: number[][] = [];
    let release = () => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const batches = new Batches(async (items: number[]) => {
      seen.push(items);
      if (seen.length === 1) await held;
      return items.map((item) => item * 10);
    });
    const first = [batches.add(1), batches.add(2)];
    await Promise.resolve();
    const second = [batches.add(3), batches.add(4), batches.add(5)];
    release();
    expect(await Promise.all([...first, ...second])).toEqual([10, 20, 30, 40, 50]);
    expect(seen).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
  });

  it('are no longer than they may be', async () => {
    const sizes: number[] = [];
    const batches = new Batches((items: number[]) => {
      sizes.push(items.length);
      return Promise.resolve(items);
    }, 2);
    await Promise.all([1, 2, 3, 4, 5].map((item) => batches.add(item)));
    expect(sizes).toEqual([2, 2, 1]);
  });

  it('fail all their calls together, and work again', async () => {
    let broken = true;
    const batches = new Batches((items: number[]) =>
      broken ? Promise.reject(new Error('the connection broke')) : Promise.resolve(items),
    );
    const failed = await Promise.allSettled([batches.add(1), batches.add(2)]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    broken = false;
    expect(await batches.add(3)).toBe(3);
  });

  it('are no heavier than they may be, but for a single item', async () => {
    const seen: number[][] = [];
    const work = (items: number[]) => {
      seen.push(items);
      return Promise.resolve(items);
    };
    const batches = new Batches(work, 10, (item) => item);
    await Promise.all([4, 6, 30, 1].map((item) => batches.add(item)));
    expect(seen).toEqual([[4, 6], [30], [1]]);
  });

  it('refuse only the item that the database cannot store', async () => {
    const batches = new Batches((items: string[]) => {
      if (!items.includes('bad')) return Promise.resolve(items);
      return Promise.reject(
        Object.assign(new pg.DatabaseError('invalid byte sequence', 0, 'error'), { code: '22021' }),
      );
    });
    const results = await Promise.allSettled(['good', 'bad', 'fine'].map((item) => batches.add(item)));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });
});
