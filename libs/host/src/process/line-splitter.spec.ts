import { describe, expect, it } from 'vitest';
import { LineSplitter, MAX_LINE_BYTES } from './line-splitter.js';

function split(...chunks: (string | Buffer)[]): string[] {
  const splitter = new LineSplitter();
  const lines = chunks.flatMap((chunk) => splitter.push(Buffer.from(chunk)));
  return [...lines, ...splitter.end()];
}

describe('cutting output into lines', () => {
  it('keeps empty lines and the unfinished last one', () => {
    expect(split('a\n\nb')).toEqual(['a', '', 'b']);
  });

  it('takes LF, CR LF and a lone CR as an end, also across chunks', () => {
    expect(split('a\r\nb\r', '\nc\r10 %\r20 %\n', 'd\r')).toEqual(['a', 'b', 'c', '10 %', '20 %', 'd']);
  });

  it('joins a character that arrives in two pieces', () => {
    const euro = Buffer.from('€');
    expect(split(euro.subarray(0, 1), euro.subarray(1), '\n')).toEqual(['€']);
  });

  it('replaces what is not UTF-8', () => {
    expect(split(Buffer.from([0x61, 0xff, 0x0a]))).toEqual(['a\ufffd']);
  });

  it('drops the end of an endless line and goes on with the next', () => {
    const [first, second] = split(...Array.from({ length: 40 }, () => 'x'.repeat(1000)), '\nnext\n');
    expect(first).toHaveLength(MAX_LINE_BYTES);
    expect(second).toBe('next');
  });
});
