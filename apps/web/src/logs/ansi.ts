export interface Style {
  /** Terminal colour 0–7; bright ones (8–15) are folded onto them. */
  color: number | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  inverse: boolean;
}

export interface Segment {
  text: string;
  style: Style;
}

const plainStyle: Style = { color: null, bold: false, dim: false, italic: false, underline: false, inverse: false };

// CSI and its parameters; OSC/DCS/APC/PM strings up to their end; two-character escapes; other control characters but tab.
// This is about control characters.
const escapes =
  /\u001b\[([0-9:;<=>?]*)[ -/]*([@-~])?|\u001b[\]PX^_][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[ -/]*[0-~]?|\u009b[0-9:;<=>?]*[@-~]?|[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;

/** The line as text alone, for search and for copying. */
export function stripAnsi(text: string): string {
  return text.replace(escapes, '');
}

/** Splits a line into styled pieces. Colours and weights are kept, every other escape is dropped and never interpreted. */
export function parseAnsi(text: string): Segment[] {
  const segments: Segment[] = [];
  let style = plainStyle;
  let from = 0;
  const add = (piece: string): void => {
    if (piece === '') return;
    const last = segments.at(-1);
    if (last && last.style === style) last.text += piece;
    else segments.push({ text: piece, style });
  };
  for (const match of text.matchAll(escapes)) {
    add(text.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[2] === 'm') style = applySgr(style, match[1] ?? '');
  }
  add(text.slice(from));
  return segments;
}

function applySgr(before: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
  let style = { ...before };
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 0) style = { ...plainStyle };
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = true;
    else if (code === 7) style.inverse = true;
    else if (code === 22) style.bold = style.dim = false;
    else if (code === 23) style.italic = false;
    else if (code === 24) style.underline = false;
    else if (code === 27) style.inverse = false;
    else if (code >= 30 && code <= 37) style.color = code - 30;
    else if (code >= 90 && code <= 97) style.color = code - 90;
    else if (code === 39) style.color = null;
    else if (code === 38 || code === 48) {
      const indexed = codes[index + 1] === 5;
      const color = codes[index + 2] ?? 0;
      // Of the 256 only the 16 named colours are readable in both themes; others keep the text's own colour.
      if (code === 38) style.color = indexed && color < 16 ? color % 8 : null;
      index += indexed ? 2 : 4;
    }
  }
  return isPlain(style) ? plainStyle : style;
}

function isPlain(style: Style): boolean {
  return style.color === null && !style.bold && !style.dim && !style.italic && !style.underline && !style.inverse;
}

export interface Piece extends Segment {
  marked: boolean;
}

/** Marks every place of `needle` (lower case) in the segments' joined text, across the borders of segments. */
export function markPieces(segments: readonly Segment[], needle: string): Piece[] {
  if (needle === '') return segments.map((segment) => ({ ...segment, marked: false }));
  const text = segments
    .map((segment) => segment.text)
    .join('')
    .toLowerCase();
  const cuts: number[] = [];
  for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + needle.length))
    cuts.push(at, at + needle.length);
  const pieces: Piece[] = [];
  let start = 0;
  let next = 0;
  for (const { text: all, style } of segments) {
    const end = start + all.length;
    let from = start;
    while (from < end) {
      while (next < cuts.length && (cuts[next] ?? 0) <= from) next += 1;
      const to = Math.min(end, cuts[next] ?? end);
      // An odd number of borders behind: inside a mark.
      pieces.push({ text: all.slice(from - start, to - start), style, marked: next % 2 === 1 });
      from = to;
    }
    start = end;
  }
  return pieces;
}
