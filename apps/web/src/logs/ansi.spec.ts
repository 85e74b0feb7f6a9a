import { describe, expect, it } from 'vitest';
import { markPieces, parseAnsi, stripAnsi } from './ansi';

const esc = '\u001b';

describe('terminal escapes', () => {
  it('become styles', () => {
    const [plain, red, bold] = parseAnsi(`a ${esc}[31mred ${esc}[1mbold${esc}[0m`);
    expect(plain).toMatchObject({ text: 'a ', style: { color: null } });
    expect(red).toMatchObject({ text: 'red ', style: { color: 1, bold: false } });
    expect(bold).toMatchObject({ text: 'bold', style: { color: 1, bold: true } });
  });

  it('know bright, indexed and true colours', () => {
    expect(parseAnsi(`${esc}[92mx`)[0]?.style.color).toBe(2);
    expect(parseAnsi(`${esc}[38;5;12mx`)[0]?.style.color).toBe(4);
    expect(parseAnsi(`${esc}[38;2;1;2;3;4mx`)[0]?.style).toMatchObject({ color: null, underline: true });
  });

  it.each([
    [
      'titles and links',
      `${esc}]0;owned\u0007text${esc}]8;;http://evil.example${esc}\\here${esc}]8;;${esc}\\`,
      'texthere',
    ],
    ['cursor movements', `a${esc}[2J${esc}[10;5Hb${esc}[Kc`, 'abc'],
    ['control characters', 'a\u0000b\bc\rd\u009b31me\u007f', 'abcde'],
    ['an unfinished escape', `a${esc}[31`, 'a'],
    ['device control strings', `a${esc}Pq#0;2;0;0;0${esc}\\b`, 'ab'],
  ])('of other kinds are dropped: %s', (_, text, plain) => {
    expect(stripAnsi(text)).toBe(plain);
    expect(
      parseAnsi(text)
        .map((segment) => segment.text)
        .join(''),
    ).toBe(plain);
  });

  it('never become markup', () => {
    expect(parseAnsi('<img src=x onerror=alert(1)>')).toHaveLength(1);
  });
});

describe('marks', () => {
  it('run across the borders of styles', () => {
    const pieces = markPieces(parseAnsi(`say he${esc}[31mllo he${esc}[0mllo`), 'hello');
    expect(pieces.map((piece) => (piece.marked ? `[${piece.text}]` : piece.text)).join('|')).toBe(
      'say |[he]|[llo]| |[he]|[llo]',
    );
  });

  it('are none without a needle', () => {
    expect(markPieces(parseAnsi('text'), '')).toMatchObject([{ text: 'text', marked: false }]);
  });
});
