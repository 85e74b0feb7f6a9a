import type { LogBuffer } from './buffer';

/** The lines that hold a text (any case), kept up to date by scanning only what is new. */
export class LogSearch {
  readonly needle: string;
  #ids: number[] = [];
  #scanned = 0;

  constructor(needle: string) {
    this.needle = needle.toLowerCase();
  }

  /** Ids of matching lines, oldest first. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Takes in new lines, and forgets those the buffer dropped. */
  update(buffer: LogBuffer): void {
    if (this.needle === '') return;
    for (let id = Math.max(this.#scanned, buffer.firstId); id < buffer.total; id += 1) {
      if (buffer.byId(id)?.plain.toLowerCase().includes(this.needle)) this.#ids.push(id);
    }
    this.#scanned = buffer.total;
    const first = this.#ids.findIndex((id) => id >= buffer.firstId);
    if (first > 0) this.#ids.splice(0, first);
    else if (first < 0) this.#ids = [];
  }

  /** The match to go to from `current` (null: the newest); wraps around. */
  step(current: number | null, direction: 1 | -1): number | null {
    if (this.#ids.length === 0) return null;
    if (current === null) return this.#ids.at(-1) ?? null;
    if (direction === 1) return this.#ids.find((id) => id > current) ?? this.#ids[0] ?? null;
    return this.#ids.findLast((id) => id < current) ?? this.#ids.at(-1) ?? null;
  }

  /** 1-based place of a match in the list; 0: none. */
  place(id: number | null): number {
    return id === null ? 0 : this.#ids.indexOf(id) + 1;
  }
}
