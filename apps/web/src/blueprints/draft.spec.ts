import { describe, expect, it } from 'vitest';
import { differs, draftOf, inputOf, sentIndex } from './draft';

describe('a blueprint in the editor', () => {
  it('is sent without empty argument rows, whose errors find their rows again', () => {
    const rows = ['', '-tickrate 100', ' ', '+map c1m1_hotel'];
    expect(inputOf({ ...draftOf(null), name: ' Versus ', arguments: rows })).toMatchObject({
      name: 'Versus',
      arguments: ['-tickrate 100', '+map c1m1_hotel'],
    });
    expect(rows.map((_, index) => sentIndex(rows, index))).toEqual([-1, 0, -1, 1]);
  });

  it('differs only in what would be saved', () => {
    const saved = draftOf(null);
    expect(differs({ ...saved, arguments: [''] }, saved)).toBe(false);
    expect(differs({ ...saved, name: '  ' }, saved)).toBe(false);
    expect(differs({ ...saved, config: `${saved.config}\n` }, saved)).toBe(true);
  });
});
