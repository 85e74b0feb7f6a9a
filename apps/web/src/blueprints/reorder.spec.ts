import { describe, expect, it } from 'vitest';
import { KeyboardReorder, moved } from './reorder';

function setUp(names = ['a', 'b', 'c']) {
  let list: string[] = names;
  const said: string[] = [];
  const reorder = new KeyboardReorder<string>({
    list: () => list,
    change: (next) => (list = next),
    name: (item) => item,
    announce: (text) => said.push(text),
  });
  const key = (name: string, index: number, altKey = false): number | null => reorder.key({ key: name, altKey }, index);
  return { key, reorder, said, order: () => list.join('') };
}

describe('moving in a list', () => {
  it('puts an item at its new place', () => {
    expect(moved(['a', 'b', 'c'], 0, 2)).toEqual(['b', 'c', 'a']);
    expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b']);
    expect(moved(['a', 'b', 'c'], 1, 3)).toEqual(['a', 'b', 'c']);
    expect(moved(['a', 'b', 'c'], 7, 0)).toEqual(['a', 'b', 'c']);
  });
});

describe('order by keyboard', () => {
  it('takes up, moves and puts down, and says so', () => {
    const { key, order, said, reorder } = setUp();
    expect(key(' ', 2)).toBe(2);
    expect(key('ArrowUp', 2)).toBe(1);
    expect(key('ArrowUp', 1)).toBe(0);
    expect(key(' ', 0)).toBe(0);
    expect(order()).toBe('cab');
    expect(reorder.holding).toBe(false);
    expect(said).toEqual([
      'c taken, place 3 of 3. Arrow keys move it, Space puts it down, Escape puts it back.',
      'c, place 2 of 3.',
      'c, place 1 of 3.',
      'c put down at place 1 of 3.',
    ]);
  });

  it('puts back on Escape', () => {
    const { key, order, said } = setUp();
    key('Enter', 0);
    key('ArrowDown', 0);
    key('ArrowDown', 1);
    expect(order()).toBe('bca');
    expect(key('Escape', 2)).toBe(0);
    expect(order()).toBe('abc');
    expect(said.at(-1)).toBe('a is back at place 1.');
  });

  it('stops at the ends', () => {
    const { key, order, said } = setUp();
    key(' ', 0);
    expect(key('ArrowUp', 0)).toBe(0);
    expect(order()).toBe('abc');
    expect(said.at(-1)).toBe('a is already first.');
  });

  it('leaves keys alone that are not its own', () => {
    const { key, order } = setUp();
    expect(key('ArrowDown', 0)).toBeNull();
    expect(key('Escape', 0)).toBeNull();
    expect(key('Tab', 0)).toBeNull();
    expect(key('ArrowDown', 0, true)).toBe(1);
    expect(order()).toBe('bac');
  });
});
