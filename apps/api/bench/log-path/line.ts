/** Bytes of a line of the measurement, without its end. */
export const LINE_BYTES = 100;

/** Milliseconds since 1970 with fractions, the same in all processes of a machine. */
export const now = (): number => performance.timeOrigin + performance.now();

/** A line that says when it was written. @param n counted from 0 */
export function writtenLine(n: number): string {
  return `${now().toFixed(3)} ${n} `.padEnd(
    LINE_BYTES,
    'Downloading update, verifying installation… '.replace('…', '.'),
  );
}

/** What a line says; null when it is not one of ours. */
export function readLine(line: string): { at: number; n: number } | null {
  const [, at, n] = /^(\d+\.\d+) (\d+) /.exec(line) ?? [];
  return at === undefined || n === undefined ? null : { at: Number(at), n: Number(n) };
}
