/** Texts shorter than this are never masked: they are everywhere, and masking them would tell what they are. */
export const SHORTEST_MASKED = 4;

/** From `from` to before `to`. */
export interface Range {
  from: number;
  to: number;
}

/**
 * Finds any of many values in one pass over a text or over bytes, however many there are: the automaton of Aho and Corasick (Efficient
 * string matching, 1975). Its states are the beginnings of values; 0 is the empty one, then come those of one byte, up to `short`.
 */
export class SecretFinder {
  static readonly none = new SecretFinder([]);

  /** So many bytes before and behind a part of a file have to be read with it, so that a value across the part's border is found. */
  readonly margin: number;
  /** By state: its length. */
  readonly lengths: Uint16Array;
  /** By state: the length of the longest value it ends with; 0: none. */
  readonly found: Uint16Array;
  /** By state: its last byte, the first of the states that go on from it by a byte, and the next one that goes on from the same. */
  private readonly bytes: Uint8Array;
  private readonly longer: Int32Array;
  private readonly beside: Int32Array;
  /** By state: its longest end that is a state, too. */
  private readonly ends: Int32Array;
  /** By state up to `short` and by byte: the state after it. There most texts are most of the time. */
  private readonly after: Int32Array;
  private readonly short: number;
  private count = 1;

  /** @param values one line of printable ASCII each; those shorter than `SHORTEST_MASKED` are left alone */
  constructor(values: readonly string[]) {
    const wanted = [...new Set(values)].filter((value) => value.length >= SHORTEST_MASKED);
    const size = wanted.reduce((sum, { length }) => sum + length, 1);
    this.margin = Math.max(0, ...wanted.map(({ length }) => length - 1));
    this.lengths = new Uint16Array(size);
    this.found = new Uint16Array(size);
    this.bytes = new Uint8Array(size);
    this.longer = new Int32Array(size);
    this.beside = new Int32Array(size);
    this.ends = new Int32Array(size);
    for (const value of wanted) this.add(value.slice(0, 1));
    this.short = this.count - 1;
    for (const value of wanted) this.found[this.add(value)] = value.length;
    this.after = this.afterShort();
    this.connect();
  }

  pass(): SecretPass {
    return new SecretPass(this);
  }

  /** The longest state that a text ends with which ended with `state` before its last byte (or UTF-16 unit). */
  next(state: number, byte: number): number {
    let at = state;
    while (at > this.short) {
      const next = this.goOn(at, byte);
      if (next !== 0) return next;
      at = this.ends[at] ?? 0;
    }
    return byte < 256 ? (this.after[at * 256 + byte] ?? 0) : 0;
  }

  private goOn(state: number, byte: number): number {
    let next = this.longer[state] ?? 0;
    while (next !== 0 && this.bytes[next] !== byte) next = this.beside[next] ?? 0;
    return next;
  }

  /** @returns its state */
  private add(beginning: string): number {
    let state = 0;
    for (let at = 0; at < beginning.length; at += 1) {
      const byte = beginning.charCodeAt(at);
      let next = this.goOn(state, byte);
      if (next === 0) {
        next = this.count;
        this.count += 1;
        this.bytes[next] = byte;
        this.lengths[next] = at + 1;
        this.beside[next] = this.longer[state] ?? 0;
        this.longer[state] = next;
      }
      state = next;
    }
    return state;
  }

  private afterShort(): Int32Array {
    const after = new Int32Array((this.short + 1) * 256);
    for (let state = 0; state <= this.short; state += 1) {
      if (state > 0) after.copyWithin(state * 256, 0, 256);
      for (let next = this.longer[state] ?? 0; next !== 0; next = this.beside[next] ?? 0) {
        after[state * 256 + (this.bytes[next] ?? 0)] = next;
      }
    }
    return after;
  }

  /** From the short states to the long ones: ends are shorter, and so known when they are needed. */
  private connect(): void {
    const inOrder = new Int32Array(this.count);
    for (let at = 0, known = 1; at < known; at += 1) {
      const state = inOrder[at] ?? 0;
      for (let next = this.longer[state] ?? 0; next !== 0; next = this.beside[next] ?? 0) {
        const end = state === 0 ? 0 : this.next(this.ends[state] ?? 0, this.bytes[next] ?? 0);
        this.ends[next] = end;
        this.found[next] ||= this.found[end] ?? 0;
        inOrder[known] = next;
        known += 1;
      }
    }
  }
}

/** One pass over a text that may come in parts. */
export class SecretPass {
  private state = 0;

  constructor(private readonly finder: SecretFinder) {}

  /** Where values stand that end in this part, in order; what overlaps or touches is one range. It may begin before the part: below 0. */
  over(part: string | Uint8Array): Range[] {
    const { finder } = this;
    const ranges: Range[] = [];
    if (finder.margin === 0) return ranges;
    let { state } = this;
    for (let at = 0; at < part.length; at += 1) {
      state = finder.next(state, typeof part === 'string' ? part.charCodeAt(at) : (part[at] ?? 0));
      const length = finder.found[state] ?? 0;
      if (length > 0) join(ranges, at + 1 - length, at + 1);
    }
    this.state = state;
    return ranges;
  }

  /** How many of the last bytes may be the beginning of a value. */
  get begun(): number {
    return this.finder.lengths[this.state] ?? 0;
  }
}

/** Ends come in order, beginnings do not: a value may be the end of a longer one. */
function join(ranges: Range[], from: number, to: number): void {
  let begin = from;
  for (let last = ranges.at(-1); last !== undefined && begin <= last.to; last = ranges.at(-1)) {
    begin = Math.min(begin, last.from);
    ranges.pop();
  }
  ranges.push({ from: begin, to });
}
