const kept = 500;

/**
 * Remembers what the panel pushed, so that an answer to a question asked before does not overwrite it: a list that was
 * on its way while a server changed still holds the old state.
 */
export class Pushed<T extends { id: number }> {
  #clock = 0;
  #items = new Map<number, { item: T | null; at: number }>();

  note(item: T): void {
    this.#set(item.id, item);
  }

  forget(id: number): void {
    this.#set(id, null);
  }

  /** Call before asking; what it answers goes to `freshen` and `freshest`. */
  mark(): number {
    return this.#clock;
  }

  /** The answer's items, with those replaced or left out that were pushed after the mark. */
  freshen(items: readonly T[], mark: number): T[] {
    return items.flatMap((item) => this.#newer(item.id, mark) ?? [item]);
  }

  /** The same for a whole collection, where what is missing was made after the mark. */
  freshenAll(items: readonly T[], mark: number): T[] {
    const known = new Set(items.map((item) => item.id));
    const made = [...this.#items.values()].flatMap(({ item, at }) =>
      item !== null && at > mark && !known.has(item.id) ? [item] : [],
    );
    return [...this.freshen(items, mark), ...made];
  }

  freshest(item: T, mark: number): T {
    return this.#newer(item.id, mark)?.[0] ?? item;
  }

  #newer(id: number, mark: number): T[] | null {
    const pushed = this.#items.get(id);
    if (!pushed || pushed.at <= mark) return null;
    return pushed.item === null ? [] : [pushed.item];
  }

  #set(id: number, item: T | null): void {
    this.#clock += 1;
    this.#items.delete(id);
    this.#items.set(id, { item, at: this.#clock });
    const [oldest] = this.#items.keys();
    if (this.#items.size > kept && oldest !== undefined) this.#items.delete(oldest);
  }
}
