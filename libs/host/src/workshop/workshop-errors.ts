import { HostError } from '../errors.js';

/** Steam's Web API could not be asked; it comes back by itself. */
export class SteamAway extends HostError {
  constructor(why: string, options?: ErrorOptions) {
    super('steam-away', `Steam's Workshop cannot be asked: ${why}`, options);
  }
}

/** The items could not be prepared; the message says why and what to do. */
export class WorkshopFailed extends HostError {
  constructor(message: string, options?: ErrorOptions) {
    super('workshop-failed', message, options);
  }
}

/** This one item cannot be had, whatever is tried. */
export class ItemUnavailable extends HostError {
  constructor(
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super('item-unavailable', problem, options);
  }
}

/** It did not work, but may a moment later. */
export class TryAgain extends HostError {
  constructor(
    message: string,
    /** What the other side asked for; null: nothing. */
    readonly afterMs: number | null = null,
    options?: ErrorOptions,
  ) {
    super('try-again', message, options);
  }
}

/** Why a request failed, in few words: fetch hides it below "fetch failed". */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? cause.message || cause.name : error.message;
}
