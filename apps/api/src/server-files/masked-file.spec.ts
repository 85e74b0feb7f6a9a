import { expect, it } from 'vitest';
import { SecretFinder } from '../secrets/secret-finder.js';
import { maskedPiece } from './masked-file.js';

const text = 'rcon_password "hunter2"\nhunter hunter2\nhunt';
const expected = 'rcon_password "*******"\nhunter *******\n****';

it('masks secrets wherever a part of a followed file begins and ends, and gives every byte at once', () => {
  const secrets = new SecretFinder(['hunter2', 'another secret']);
  for (let from = 0; from <= text.length; from++) {
    for (let end = from; end <= text.length; end++) {
      const before = Buffer.from(text.slice(Math.max(0, from - secrets.margin), from));
      const given = maskedPiece({ before, bytes: Buffer.from(text.slice(from, end)) }, secrets).toString();
      expect(given.length).toBe(end - from);
      const shown = given.split('').map((letter, i) => ({ letter, at: from + i }));
      // What may be the beginning of a secret at a part's end is masked, too, though it is none.
      expect(shown.filter(({ letter, at }) => letter !== '*' && letter !== expected[at])).toEqual([]);
      expect(shown.filter(({ letter, at }) => letter === '*' && text[at] === '\n')).toEqual([]);
    }
  }
});

it('masks nothing that only looks like the end of a secret', () => {
  const part = { before: Buffer.alloc(0), bytes: Buffer.from('er2\nunter2\n') };
  const given = maskedPiece(part, new SecretFinder(['hunter2']));
  expect(given.toString()).toBe('er2\nunter2\n');
});
