/** A line that a program printed. */
export interface PrintedLine {
  stream: 'stdout' | 'stderr';
  line: string;
}

/** How far from the end the last line of stderr may be and still be the program's last word. */
const NEAR_THE_END = 3;
/** Longer ones are cut: the whole line is in the log. */
const CAUSE_LIMIT = 300;
const OTHER_LIMIT = 100;
const OTHERS = 3;
/** srcds's last words when its port is taken and `-strictportbind` forbids it another; and what the system calls it. */
const NO_PORT = /couldn't allocate any server IP port/i;
const IN_USE = /EADDRINUSE|address already in use/i;
const WORDS =
  /\b(errors?|fail(ed|s|ure)?|fatal|fault|abort(ed)?|cannot|can't|couldn't|could not|unable|no such|not found|denied|refused|invalid|missing|in use)\b/i;

/** Why a program failed, as far as its last lines tell, fit for an error message. */
export interface Told {
  cause: string;
  /** The last of its other lines. */
  others: string[];
}

/**
 * Of a failed program's last lines the one that most likely says why: that its port is in use, which is put in plain words before it;
 * else what it said on stderr at the very end, else the last that speaks of a failure, else the last. Null: it said nothing.
 *
 * @param port the one that the program was to have, if any
 */
export function tellingLine(lines: readonly PrintedLine[], port: number | null = null): Told | null {
  const said = lines.filter(({ line }) => line.trim() !== '');
  const noPort = port === null ? undefined : said.findLast(({ line }) => saysInUse(line, port));
  const chosen =
    noPort ??
    said.slice(-NEAR_THE_END).findLast(({ stream }) => stream === 'stderr') ??
    said.findLast(({ line }) => WORDS.test(line)) ??
    said.at(-1);
  if (!chosen) return null;
  const others = said.filter(({ line }) => line.trim() !== chosen.line.trim()).slice(-OTHERS);
  const cause = cut(chosen.line, CAUSE_LIMIT);
  const told = noPort === undefined ? cause : `Port ${port} is in use: ${cause}`;
  return { cause: told, others: others.map(({ line }) => cut(line, OTHER_LIMIT)) };
}

/** Not of any port: a plugin may have tried one of its own and gone on. */
function saysInUse(line: string, port: number): boolean {
  return NO_PORT.test(line) || (IN_USE.test(line) && new RegExp(`\\b${port}\\b`).test(line));
}

function cut(line: string, limit: number): string {
  const text = line.trim();
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}
