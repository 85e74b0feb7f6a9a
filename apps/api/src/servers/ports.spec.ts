import { describe, expect, it } from 'vitest';
import { HIGHEST_PORT, LOWEST_PORT, nextFreePort, tvPortOf } from './ports.js';

describe('tvPortOf', () => {
  it('gives every port another one in the same range', () => {
    const ports = Array.from({ length: HIGHEST_PORT - LOWEST_PORT + 1 }, (_, index) => LOWEST_PORT + index);
    const tvPorts = new Set(ports.map(tvPortOf));
    expect(tvPorts.size).toBe(ports.length);
    expect(Math.min(...tvPorts)).toBe(LOWEST_PORT);
    expect(Math.max(...tvPorts)).toBe(HIGHEST_PORT);
    expect(tvPortOf(27_015)).toBe(37_015);
  });
});

describe('nextFreePort', () => {
  it('goes upwards from 27015, past the default of SourceTV', () => {
    const taken: number[] = [];
    for (let count = 0; count < 7; count += 1) taken.push(nextFreePort(taken) ?? 0);
    expect(taken).toEqual([27_015, 27_016, 27_017, 27_018, 27_019, 27_021, 27_022]);
  });

  it('fills gaps', () => {
    expect(nextFreePort([27_015, 27_017])).toBe(27_016);
  });

  it('avoids what another server would use for SourceTV, and servers where its own SourceTV would be', () => {
    expect(nextFreePort([17_015])).toBe(27_016);
    expect(nextFreePort([37_015])).toBe(27_016);
  });

  it('begins at the bottom when the top is full, and gives up when nothing is left', () => {
    const top = Array.from({ length: HIGHEST_PORT - 27_014 }, (_, index) => 27_015 + index);
    expect(nextFreePort(top)).toBeLessThan(27_015);
    expect(
      nextFreePort([...top, ...Array.from({ length: 27_015 - LOWEST_PORT }, (_, index) => LOWEST_PORT + index)]),
    ).toBeNull();
  });
});
