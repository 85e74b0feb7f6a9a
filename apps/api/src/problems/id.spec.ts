import { expect, it } from 'vitest';
import { IdPipe, parseId } from './id.js';

it('reads 32-bit ids only', () => {
  expect(parseId('1')).toBe(1);
  expect(parseId('2147483647')).toBe(2_147_483_647);
  for (const text of ['0', '-1', '01', '1.0', '1e3', '0x10', '2147483648', '9999999999', ' 1', '', 'abc'])
    expect(parseId(text)).toBeNull();
});

it('takes what cannot be an id for an unknown one', () => {
  expect(() => new IdPipe('server').transform('abc')).toThrow('There is no server abc.');
});
