import { comparePositions } from '../live/connection';
import { stripAnsi } from './ansi';
import type { LogLine } from './line';

/** A line as kept: with a number that stays its own while older lines are dropped. */
export class KeptLine {
  readonly id: number;
  readonly stream: LogLine['stream'];
  readonly at: string;
  readonly text: string;
  #plain: string | undefined;

  constructor(id: number, line: Omit<LogLine, 'position'>) {
    this.id = id;
    this.stream = line.stream;
    this.at = line.at;
    this.text = line.text;
  }

  /** Without terminal escapes; made when first asked for. */
  get plain(): string {
    this.#plain ??= stripAnsi(this.text);
    return this.#plain;
  }
}

/** Lines kept in memory; beyond it the oldest go. Enough for a whole job log (100,000 and its marker). */
export const lineCap = 120_000;
/** Characters kept: lines may be 4,096 long, and a tab should stay below some 100 MB. */
export const characterCap = 40_000_000;

/**
 * The newest lines of one log, in plain arrays outside Vue's reactivity. Knows each position once: what is replayed
 * after a reconnect is not taken twice.
 */
export class LogBuffer {
  #lines: KeptLine[] = [];
  #characters = 0;
  #nextId = 0;
  #last: string | undefined;
  /** The position of the first line, while it is still kept: before it older ones may be put. */
  #first: string | undefined;
  #cap: number;
  #characterCap: number;

  constructor(cap = lineCap, characters = characterCap) {
    this.#cap = cap;
    this.#characterCap = characters;
  }

  get size(): number {
    return this.#lines.length;
  }

  /** Lines ever taken; `total - size` were dropped. */
  get total(): number {
    return this.#nextId;
  }

  /** The id of the oldest kept line. */
  get firstId(): number {
    return this.#nextId - this.#lines.length;
  }

  /** The position to resume after; undefined while nothing arrived. */
  get last(): string | undefined {
    return this.#last;
  }

  at(index: number): KeptLine | undefined {
    return this.#lines[index];
  }

  byId(id: number): KeptLine | undefined {
    return this.#lines[id - this.firstId];
  }

  /** Adds what is new; answers how many lines that were. */
  append(lines: readonly LogLine[]): number {
    let added = 0;
    for (const line of lines) {
      if (this.#last !== undefined && comparePositions(line.position, this.#last) <= 0) continue;
      this.#last = line.position;
      if (this.#lines.length === 0) this.#first = line.position;
      this.#push(line);
      added += 1;
    }
    this.#trim();
    return added;
  }

  /** Puts older lines before the first one, as many as there is room for; their ids go down from it. Answers how many. */
  prepend(lines: readonly LogLine[]): number {
    const first = this.#first;
    const room = this.#cap - this.#lines.length;
    if (first === undefined || room <= 0) return 0;
    const older = lines.filter((line) => comparePositions(line.position, first) < 0).slice(-room);
    const from = this.firstId - older.length;
    this.#lines = [...older.map((line, index) => new KeptLine(from + index, line)), ...this.#lines];
    this.#characters += older.reduce((sum, line) => sum + line.text.length, 0);
    this.#first = older[0]?.position ?? first;
    return older.length;
  }

  /** Says inside the log that lines are missing here. */
  note(text: string, at: string): void {
    this.#push({ stream: 'system', text, at });
    this.#trim();
  }

  /** The text of a range of ids, both ends included, a line each. */
  textOf(from: number, to: number): string {
    return this.#lines
      .slice(Math.max(0, from - this.firstId), to - this.firstId + 1)
      .map((line) => line.plain)
      .join('\n');
  }

  #push(line: Omit<LogLine, 'position'>): void {
    this.#lines.push(new KeptLine(this.#nextId, line));
    this.#nextId += 1;
    this.#characters += line.text.length;
  }

  #trim(): void {
    const slack = Math.ceil(this.#cap / 20);
    if (this.#lines.length <= this.#cap + slack && this.#characters <= this.#characterCap) return;
    // Moving the array costs its length: drop a slice at a time, not a line at a time.
    let drop = Math.max(0, this.#lines.length - this.#cap);
    for (let index = 0; index < drop; index += 1) this.#characters -= this.#lines[index]?.text.length ?? 0;
    while (this.#characters > this.#characterCap * 0.95 && drop < this.#lines.length - 1) {
      this.#characters -= this.#lines[drop]?.text.length ?? 0;
      drop += 1;
    }
    this.#lines.splice(0, drop);
    // What is older than a dropped line would leave a gap.
    this.#first = undefined;
  }
}
