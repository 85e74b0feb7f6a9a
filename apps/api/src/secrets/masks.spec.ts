import { describe, expect, it } from 'vitest';
import { maskedLine } from './masked-line.js';
import { maskedStream } from './masked-stream.js';
import { SecretFinder } from './secret-finder.js';

/** As it is defined: every place where a value stands. */
function plainly(text: string, values: string[]): string {
  const masked = Array.from(text);
  for (const value of values) {
    for (let at = 0; at < text.length; at += 1) {
      if (text.startsWith(value, at)) masked.fill('*', at, at + value.length);
    }
  }
  return masked.join('');
}

/** Every text of that length in two letters. */
const texts = (length: number) =>
  Array.from({ length: 2 ** length }, (_, n) =>
    n.toString(2).padStart(length, '0').replaceAll('0', 'a').replaceAll('1', 'b'),
  );

describe('what is found in one pass', () => {
  const occurrences = (text: string, values: string[]) => new SecretFinder(values).pass().over(text);

  it('is every place, also of values that overlap themselves or each other', () => {
    const values = [
      ...texts(4).map((value) => [value]),
      ...texts(5).map((value) => [value]),
      ['abab', 'babba'],
      ['aaaa', 'abaa'],
    ];
    const wrong: string[] = [];
    for (const text of texts(11)) {
      for (const some of values) {
        const masked = Array.from(text);
        for (const { from, to } of occurrences(text, some)) masked.fill('*', from, to);
        if (masked.join('') !== plainly(text, some)) wrong.push(`${some.join(' ')} in ${text}: ${masked.join('')}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(occurrences('aaaaaa b aaaa', ['aaaa'])).toEqual([
      { from: 0, to: 6 },
      { from: 9, to: 13 },
    ]);
  });

  it('takes no longer for a text that repeats a value without end', () => {
    const begun = performance.now();
    const values = Array.from({ length: 500 }, (_, index) => 'a'.repeat(500 + index) + (index % 2 === 0 ? 'b' : ''));
    expect(occurrences('a'.repeat(1_000_000), values)).toEqual([{ from: 0, to: 1_000_000 }]);
    expect(occurrences('ab'.repeat(500_000), values)).toEqual([]);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

describe('a line', () => {
  const masked = (line: string, ...values: string[]) => maskedLine(line, new SecretFinder(values));

  it('loses every occurrence of every value, and nothing else', () => {
    const values = ['hunter2', 'AbCd'];
    expect(masked('rcon_password "hunter2"; say hunter2 AbCd', ...values)).toBe('rcon_password "***"; say *** ***');
    expect(masked('Hunter2 abcd ŁŢŃłhunter2€', ...values)).toBe('Hunter2 abcd ŁŢŃł***€');
    expect(masked('', ...values)).toBe('');
  });

  it('has no rest of values that overlap', () => {
    expect(masked('x abcdefgh y', 'abcd', 'cdefgh')).toBe('x *** y');
    expect(masked('aaaaaa b', 'aaaa')).toBe('*** b');
    expect(masked('abcdefg', 'abcd', 'abcdef')).toBe('***g');
  });

  it('keeps what a value would match as a pattern, and short values', () => {
    expect(masked('abcd .*+? x', '.*+?', 'abc', '')).toBe('abcd *** x');
    expect(maskedLine('hunter2', SecretFinder.none)).toBe('hunter2');
  });
});

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readBytes(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}
const read = async (source: AsyncIterable<Buffer>): Promise<string> => (await readBytes(source)).toString('utf8');

describe('maskedStream', () => {
  const secrets = new SecretFinder(['hunter2', 'cdefgh', 'abcd', 'bcde']);
  const text = 'rcon_password "hunter2"\r\nabcdefgh abcd\r\nZoë abcdehunter hunter2';
  const expected = 'rcon_password "*******"\r\n******** ****\r\nZoë *****hunter *******';

  it('keeps every position, however the bytes are cut into chunks', async () => {
    const bytes = Buffer.from(text);
    for (let size = 1; size <= bytes.length; size += 1) {
      expect(await read(maskedStream(chunks(bytes, size), secrets))).toBe(expected);
    }
  });

  it('masks each part of a file as the whole, given what lies before and behind it', async () => {
    const bytes = Buffer.from(text);
    const whole = Buffer.from(expected);
    const { margin } = secrets;
    for (let start = 0; start < bytes.length; start += 1) {
      for (let end = start + 1; end <= bytes.length; end += 5) {
        const from = Math.max(0, start - margin);
        const source = chunks(bytes.subarray(from, end + margin), 4);
        const part = (await readBytes(maskedStream(source, secrets, start - from))).subarray(0, end - start);
        expect(part.equals(whole.subarray(start, end))).toBe(true);
      }
    }
  });

  it('gives bytes that are no text as they are, and holds back only what may be the beginning of a value', async () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => index % 256));
    for (const some of [SecretFinder.none, new SecretFinder(['hunter2', 'ghi.'])]) {
      const parts: Buffer[] = [];
      for await (const part of maskedStream(chunks(bytes, 'i'.charCodeAt(0) + 1), some)) parts.push(part);
      expect(Buffer.concat(parts).equals(bytes)).toBe(true);
      expect(parts[0]?.length).toBe('i'.charCodeAt(0) + 1 - (some === SecretFinder.none ? 0 : 'ghi'.length));
    }
  });
});
