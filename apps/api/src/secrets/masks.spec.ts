import { describe, expect, it } from 'vitest';
import { LineMask } from './line-mask.js';
import { occurrences } from './occurrences.js';
import { maskedStream, maskMargin } from './masked-stream.js';

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

describe('occurrences', () => {
  it('finds every place, also of values that overlap themselves or each other', () => {
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

  it('is not kept busy by a text that repeats a value without end', () => {
    const begun = performance.now();
    expect(occurrences('a'.repeat(1_000_000), ['a'.repeat(1024)])).toEqual([{ from: 0, to: 1_000_000 }]);
    expect(performance.now() - begun).toBeLessThan(2000);
  });
});

describe('LineMask', () => {
  it('takes every occurrence of every value out, and nothing else', () => {
    const mask = new LineMask(['hunter2', 'AbCd']);
    expect(mask.apply('rcon_password "hunter2"; say hunter2 AbCd')).toBe('rcon_password "***"; say *** ***');
    expect(mask.apply('Hunter2 abcd')).toBe('Hunter2 abcd');
    expect(mask.apply('')).toBe('');
  });

  it('leaves no rest of values that overlap', () => {
    expect(new LineMask(['abcd', 'cdefgh']).apply('x abcdefgh y')).toBe('x *** y');
    expect(new LineMask(['aaaa']).apply('aaaaaa b')).toBe('*** b');
    expect(new LineMask(['abcd', 'abcdef']).apply('abcdefg')).toBe('***g');
  });

  it('does not take a value for a pattern, and leaves short ones alone', () => {
    expect(new LineMask(['.*+?', 'abc', '']).apply('abcd .*+? x')).toBe('abcd *** x');
    expect(LineMask.none.apply('hunter2')).toBe('hunter2');
  });
});

async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(source: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

describe('maskedStream', () => {
  const values = ['hunter2', 'cdefgh', 'abcd', 'Zoë5'];
  const text = 'rcon_password "hunter2"\nabcdefgh abcd\nZoë5 hunter2';
  const expected = 'rcon_password "*******"\n******** ****\n***** *******';

  it('keeps every position, however the bytes are cut into chunks', async () => {
    const bytes = Buffer.from(text);
    for (let size = 1; size <= bytes.length; size += 1) {
      expect(await read(maskedStream(chunks(bytes, size), values))).toBe(expected);
    }
    expect(Buffer.byteLength(expected)).toBe(bytes.length);
  });

  it('masks each part of a file as the whole, given what lies before and behind it', async () => {
    const bytes = Buffer.from(text);
    const margin = maskMargin(values);
    for (let start = 0; start < bytes.length; start += 1) {
      for (let end = start + 1; end <= bytes.length; end += 5) {
        const from = Math.max(0, start - margin);
        const source = chunks(bytes.subarray(from, end + margin), 4);
        const part = (await read(maskedStream(source, values, start - from))).slice(0, end - start);
        expect(part).toBe(expected.slice(start, end));
      }
    }
  });

  it('gives bytes that are no text as they are, and holds back no more than a value', async () => {
    const bytes = Buffer.from(Array.from({ length: 4096 }, (_, index) => index % 256));
    expect(maskMargin([])).toBe(0);
    for (const some of [[], ['hunter2']]) {
      const parts: Buffer[] = [];
      for await (const part of maskedStream(chunks(bytes, 1000), some)) parts.push(part);
      expect(Buffer.concat(parts).equals(bytes)).toBe(true);
      expect(parts[0]?.length).toBe(1000 - maskMargin(some));
    }
  });
});
