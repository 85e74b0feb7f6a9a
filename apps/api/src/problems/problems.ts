/** What a field of a request has wrong; `path` names it as in the request, `overlays.2.overlayId`. */
export interface FieldError {
  path: string;
  message: string;
}

/**
 * What goes wrong in the panel's own logic. Thrown where it happens, mapped to an answer once, at the edge (problem.filter.ts).
 * The message is for the person who gets it: what is wrong, with what, and what to do.
 */
export abstract class Problem extends Error {
  override get name() {
    return this.constructor.name;
  }
}

/** A field of the request is wrong (400). */
export class Invalid extends Problem {
  constructor(readonly errors: FieldError[]) {
    super(errors.map((e) => `${e.path}: ${e.message}`).join('; '));
  }
}

/** Nobody is logged in, or the key is not valid (401). */
export class NotLoggedIn extends Problem {}

/** Visible, but not allowed (403). */
export class NotAllowed extends Problem {}

/** Not there, or not visible to whoever asks (404). */
export class NotFound extends Problem {
  constructor(what: string) {
    super(`There is no ${what}.`);
  }
}

/** Contradicts what is there (409): a taken name, a thing in use, a job that has ended. */
export class Conflict extends Problem {}

/** The body is over its limit (413). */
export class BodyTooLarge extends Problem {}

/** A service that this needs does not answer, or has too much to do (503); it comes back by itself. */
export class Unavailable extends Problem {
  /** In seconds, when it is known. */
  readonly retryAfter: number | null;

  constructor(message: string, { retryAfter, ...options }: ErrorOptions & { retryAfter?: number } = {}) {
    super(message, options);
    this.retryAfter = retryAfter ?? null;
  }
}

/** Too many attempts (429); `retryAfter` in seconds. */
export class TooManyAttempts extends Problem {
  constructor(
    message: string,
    readonly retryAfter: number,
  ) {
    super(message);
  }
}
