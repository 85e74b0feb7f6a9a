import { describe, expect, it } from 'vitest';
import { differs, draftOf, inputOf, rowsOf, sentIndex, sentRange } from './draft';

describe('a blueprint in the editor', () => {
  it('has an option with its values in a row, and is sent as words whose errors find their rows again', () => {
    const words = [
      '-tickrate',
      '100',
      '+map',
      'c1m1_hotel',
      'versus',
      '+hostname',
      '{{ title }}',
      '+z_x',
      '-1',
      '-nomaster',
    ];
    const rows = ['-tickrate 100', '+map c1m1_hotel versus', '+hostname {{ title }}', '+z_x -1', '-nomaster'];
    expect(rowsOf(words)).toEqual(rows);
    expect(inputOf({ ...draftOf(null), name: ' Versus ', arguments: rows })).toMatchObject({
      name: 'Versus',
      arguments: words,
    });
    const edited = ['', '-tickrate  100 ', ' ', '+map c1m1_hotel'];
    expect(edited.map((_, row) => sentRange(edited, row))).toEqual([
      { from: 0, to: 0 },
      { from: 0, to: 2 },
      { from: 2, to: 2 },
      { from: 2, to: 4 },
    ]);
  });

  it('is sent without empty rows of hidden paths, whose errors find their rows again', () => {
    const hide = ['', ' a/b ', ' ', 'c'];
    expect(inputOf({ ...draftOf(null), hide, files: [{ path: ' x ', content: ' y ' }] })).toMatchObject({
      hide: ['a/b', 'c'],
      files: [{ path: 'x', content: ' y ' }],
    });
    expect(hide.map((_, row) => sentIndex(hide, row))).toEqual([null, 0, null, 1]);
  });

  it('differs only in what would be saved', () => {
    const saved = draftOf(null);
    expect(differs({ ...saved, arguments: [''] }, saved)).toBe(false);
    expect(differs({ ...saved, name: '  ' }, saved)).toBe(false);
    expect(differs({ ...saved, config: `${saved.config}\n` }, saved)).toBe(true);
  });
});
