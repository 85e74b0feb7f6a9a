import { expect, it } from 'vitest';
import { PartMask } from './masked-file.js';

it('masks secrets that lie across the parts of a followed file, and gives every byte at once', async () => {
  const text = 'rcon_password "hunter2"\nhunter hunter2\nhunt';
  const expected = 'rcon_password "*******"\nhunter *******\n****';
  for (let cut = 0; cut <= text.length; cut++) {
    const mask = new PartMask(['hunter2']);
    const parts = [text.slice(0, cut), text.slice(cut)];
    const given: string[] = [];
    for (const part of parts) given.push((await mask.next(Buffer.from(part), false)).toString());
    expect(given.map(({ length }) => length)).toEqual(parts.map(({ length }) => length));
    const shown = given.join('').split('');
    // What may be the beginning of a secret at a part's end is masked, too, though it is none.
    expect(shown.filter((letter, i) => letter !== '*' && letter !== expected[i])).toEqual([]);
    expect(shown.filter((letter, i) => letter === '*' && text[i] === '\n')).toEqual([]);
  }
});

it('begins anew with a file that was replaced', async () => {
  const mask = new PartMask(['hunter2']);
  await mask.next(Buffer.from('hunt'), false);
  expect((await mask.next(Buffer.from('er2'), true)).toString()).toBe('er2');
  expect((await mask.next(Buffer.from('hunter2'), true)).toString()).toBe('*******');
});
