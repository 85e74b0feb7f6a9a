/** Jobs at once, each with a reader. */
export const JOBS = 20;
/** Of each job. */
export const LINES = 6000;
const PER_SECOND = 1000;
/** The readers are there before the first line. */
const QUIET_MS = 3000;

/** The command of a job's child. */
export function chatterCommand(): [string, ...string[]] {
  const program = new URL('chatter.js', import.meta.url).pathname;
  return [process.execPath, program, ...[QUIET_MS, PER_SECOND, LINES].map(String)];
}
