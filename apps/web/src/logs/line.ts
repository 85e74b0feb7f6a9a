/** One line of a job's or a server's log, as it came. */
export interface LogLine {
  /** Strictly increasing within a log: "seq" of a job, "major-minor" of a server. */
  position: string;
  stream: 'stdout' | 'stderr' | 'system';
  /** May hold terminal escapes; never to be shown but through `ansi.ts`. */
  text: string;
  at: string;
}
