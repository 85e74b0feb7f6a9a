export const serviceNames = ['postgres', 'redis'] as const;
export type ServiceName = (typeof serviceNames)[number];

interface Options {
  /** The services that do not answer; null: nobody could be asked. */
  ask: () => Promise<readonly ServiceName[] | null>;
  onChange: (away: readonly ServiceName[]) => void;
}

/** All in milliseconds. A service that is gone is known within 8 s + 1.5 s, one that is slow takes the panel 2 s longer to give up. */
const calm = 8_000;
const doubtful = 1_500;
const worried = 4_000;
const atMost = 1_000;

/**
 * Asks now and then which services the panel misses. One is called away when two answers in a row say so, since a single one may only
 * have been slow, and back at the first answer that says so.
 */
export class ServicesWatch {
  readonly #options: Options;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #round = 0;
  #asking = false;
  #askedAt = -Infinity;
  #suspected: readonly ServiceName[] = [];
  #away: readonly ServiceName[] = [];

  constructor(options: Options) {
    this.#options = options;
  }

  /** Begins to ask, now; does nothing where it has begun. */
  start(): void {
    if (this.#timer === undefined && !this.#asking) this.#later(0);
  }

  /** Asks no more, for the time being: what was known last stays. */
  stop(): void {
    this.#round += 1;
    this.#asking = false;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Asks at once, for when something went wrong; once a second at most. */
  hurry(): void {
    if (this.#timer !== undefined) this.#later(Math.max(0, this.#askedAt + atMost - Date.now()));
  }

  #later(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), delay);
  }

  async #ask(): Promise<void> {
    const round = this.#round;
    this.#timer = undefined;
    this.#asking = true;
    this.#askedAt = Date.now();
    const missing = (await this.#options.ask()) ?? [];
    if (round !== this.#round) return;
    this.#asking = false;
    const away = missing.filter((name) => this.#suspected.includes(name));
    this.#suspected = missing;
    if (away.join() !== this.#away.join()) {
      this.#away = away;
      this.#options.onChange(away);
    }
    this.#later(missing.length > away.length ? doubtful : away.length > 0 ? worried : calm);
  }
}
