import { describe, expect, it } from 'vitest';
import { Pushed } from './pushed';

interface Thing {
  id: number;
  state: string;
}

describe('what was pushed while an answer was on its way', () => {
  it('wins over the answer', () => {
    const pushed = new Pushed<Thing>();
    const mark = pushed.mark();
    pushed.note({ id: 1, state: 'running' });
    pushed.forget(2);
    const answer = [
      { id: 1, state: 'stopped' },
      { id: 2, state: 'stopped' },
      { id: 3, state: 'stopped' },
    ];
    expect(pushed.freshen(answer, mark)).toEqual([
      { id: 1, state: 'running' },
      { id: 3, state: 'stopped' },
    ]);
    pushed.note({ id: 4, state: 'absent' });
    expect(pushed.freshenAll(answer, mark).map((thing) => thing.id)).toEqual([1, 3, 4]);
    expect(pushed.freshest({ id: 1, state: 'stopped' }, mark).state).toBe('running');
  });

  it('loses to an answer that was asked for later', () => {
    const pushed = new Pushed<Thing>();
    pushed.note({ id: 1, state: 'running' });
    const mark = pushed.mark();
    expect(pushed.freshen([{ id: 1, state: 'stopped' }], mark)).toEqual([{ id: 1, state: 'stopped' }]);
  });
});
