/** What the libraries say of a command that Redis never answered. */
const NOT_ANSWERED = /^(Stream isn't writeable|Connection is closed|Command timed out|Reached the max retries)/;

/** Whether a command failed because Redis is away or hangs, which the log tells once for all of them (redis.ts). */
export function isRedisAway(error: unknown): boolean {
  return error instanceof Error && NOT_ANSWERED.test(error.message);
}
