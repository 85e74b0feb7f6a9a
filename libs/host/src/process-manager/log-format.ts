import type { ServerLogLine } from '../host.js';

/**
 * A server's log: files `<segment>.log` in one folder, lines `<milliseconds since 1970> <o|e> <text>`, UTF-8.
 * Segment numbers only grow. A new one is at least the current Unix time in seconds, so that they also grow when a server
 * was deleted and made again under its old name.
 */
export const SEGMENT_BYTES = 10 * 1024 * 1024;
export const SEGMENTS_KEPT = 10;

export function segmentFile(segment: number): string {
  return `${segment}.log`;
}

/** The segments among a folder's names, oldest first. */
export function segmentsOf(names: readonly string[]): number[] {
  return names
    .map((name) => /^([1-9][0-9]{0,14})\.log$/.exec(name)?.[1])
    .filter((segment) => segment !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

export function nextSegment(last: number | undefined, now: number): number {
  return Math.max((last ?? 0) + 1, Math.floor(now / 1000));
}

export function formatRecord(at: number, stream: 'stdout' | 'stderr', line: string): string {
  return `${at} ${stream === 'stderr' ? 'e' : 'o'} ${line}\n`;
}

/** `text` without its line break. A line that is not ours (a damaged disk) is shown as it is. */
export function parseRecord(segment: number, offset: number, text: string): ServerLogLine {
  const position = formatPosition(segment, offset);
  const match = /^([0-9]{1,15}) ([oe]) /.exec(text);
  if (match === null) return { position, stream: 'stdout', line: text, at: new Date(0).toISOString() };
  return {
    position,
    stream: match[2] === 'e' ? 'stderr' : 'stdout',
    line: text.slice(match[0].length),
    at: new Date(Number(match[1])).toISOString(),
  };
}

/** Offset of the record's first byte, plus 1: a position 0-0 stands before everything. */
export function formatPosition(segment: number, offset: number): string {
  return `${segment}-${offset + 1}`;
}

/** Null for anything that is not a position. */
export function parsePosition(position: string): { segment: number; offset: number } | null {
  const match = /^([0-9]{1,15})-([0-9]{1,15})$/.exec(position);
  return match === null ? null : { segment: Number(match[1]), offset: Number(match[2]) - 1 };
}
