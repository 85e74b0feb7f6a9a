/** A new list with the item at `from` moved to `to`. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const item = list[from];
  if (item === undefined || from === to || to < 0 || to >= list.length) return [...list];
  return list.toSpliced(from, 1).toSpliced(to, 0, item);
}

export interface ReorderOptions<T> {
  list: () => readonly T[];
  change: (list: T[]) => void;
  name: (item: T) => string;
  /** Said to screen readers. */
  announce: (text: string) => void;
}

/**
 * Order by keyboard: Space or Enter takes an item up, the arrows move it, Space or Enter puts it down, Escape puts it
 * back where it was. With Alt, the arrows move an item at once.
 */
export class KeyboardReorder<T> {
  #options: ReorderOptions<T>;
  #held: { index: number; before: readonly T[] } | null = null;

  constructor(options: ReorderOptions<T>) {
    this.#options = options;
  }

  get holding(): boolean {
    return this.#held !== null;
  }

  /** Handles a key on the handle at `index`. Answers where the item (and the focus) is now; null: not our key. */
  key(event: { key: string; altKey: boolean }, index: number): number | null {
    const { list, name, announce } = this.#options;
    const item = list()[index];
    if (item === undefined) return null;
    const direction = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.key === ' ' || event.key === 'Enter') {
      if (this.#held) this.drop(index);
      else {
        this.#held = { index, before: [...list()] };
        announce(
          `${name(item)} taken, place ${index + 1} of ${list().length}. Arrow keys move it, Space puts it down, Escape puts it back.`,
        );
      }
      return index;
    }
    if (event.key === 'Escape' && this.#held) {
      const { index: home, before } = this.#held;
      this.#held = null;
      this.#options.change([...before]);
      announce(`${name(item)} is back at place ${home + 1}.`);
      return home;
    }
    if (direction === undefined || !(this.#held || event.altKey)) return null;
    const to = index + direction;
    if (to < 0 || to >= list().length) {
      announce(`${name(item)} is already ${to < 0 ? 'first' : 'last'}.`);
      return index;
    }
    this.#options.change(moved(list(), index, to));
    announce(`${name(item)}, place ${to + 1} of ${list().length}.`);
    return to;
  }

  /** Puts a held item down where it is. */
  drop(index: number): void {
    if (!this.#held) return;
    this.#held = null;
    const item = this.#options.list()[index];
    if (item !== undefined)
      this.#options.announce(
        `${this.#options.name(item)} put down at place ${index + 1} of ${this.#options.list().length}.`,
      );
  }
}
