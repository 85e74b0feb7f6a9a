import { expect, it } from 'vitest';
import { PartMask } from './masked-file.js';

const text = 'rcon_password "hunter2"\nhunter hunter2\nhunt';
const expected = 'rcon_password "*******"\nhunter *******\n****';

it('masks secrets wherever a part of a followed file begins and ends, and gives every byte at once', async () => {
  const mask = new PartMask(['hunter2', 'another secret']);
  for (let from = 0; from <= text.length; from++) {
    for (let end = from; end <= text.length; end++) {
      const before = Buffer.from(text.slice(Math.max(0, from - mask.margin), from));
      const given = (await mask.apply({ before, bytes: Buffer.from(text.slice(from, end)) })).toString();
      expect(given.length).toBe(end - from);
      const shown = given.split('').map((letter, i) => ({ letter, at: from + i }));
      // What may be the beginning of a secret at a part's end is masked, too, though it is none.
      expect(shown.filter(({ letter, at }) => letter !== '*' && letter !== expected[at])).toEqual([]);
      expect(shown.filter(({ letter, at }) => letter === '*' && text[at] === '\n')).toEqual([]);
    }
  }
});

it('masks nothing that only looks like the end of a secret', async () => {
  const given = await new PartMask(['hunter2']).apply({ before: Buffer.alloc(0), bytes: Buffer.from('er2\nunter2\n') });
  expect(given.toString()).toBe('er2\nunter2\n');
});
