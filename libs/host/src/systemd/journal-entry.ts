import type { ServerLogLine } from '../host.js';
import { identifierOf, serverOf, unitOf } from './unit-names.js';

/** One line of the journal that concerns a server (systemd.journal-fields(7)). */
export interface JournalEntry {
  server: string;
  /** Where the journal is read on after this entry. */
  cursor: string;
  /** Which journal counted, and the entry's number in it; together they order entries. */
  journal: string;
  number: number;
  stream: ServerLogLine['stream'];
  line: string;
  at: string;
  /** systemd itself says something about the unit: it was started, it failed, … */
  event: boolean;
}

export const FIELDS = ['MESSAGE', 'PRIORITY', 'UNIT', 'SYSLOG_IDENTIFIER', '_SYSTEMD_UNIT', '_PID', '_UID'].join(',');
/** start-server.sh sends the server's stderr with this priority, `warning` (syslog(3)); what systemd says of a failure has it or a graver one. */
const STDERR_PRIORITY = 4;

/** Restricts journalctl to what the service user's programs print: this process is one of them. */
export function ofServiceUser(): string[] {
  return [`_UID=${ownUid()}`, '_TRANSPORT=stdout'];
}

/** Restricts journalctl to one server: what it prints, and what systemd says about it. */
export function ofServer(name: string): string[] {
  const unit = unitOf(name);
  const unknownUnit = [`SYSLOG_IDENTIFIER=${identifierOf(name)}`, ...ofServiceUser()];
  return [`_SYSTEMD_UNIT=${unit}`, '+', ...unknownUnit, '+', '_PID=1', `UNIT=${unit}`];
}

/** A line of `journalctl --output=json`. Null when it concerns no server. */
export function parseEntry(text: string): JournalEntry | null {
  const fields: unknown = JSON.parse(text);
  if (typeof fields !== 'object' || fields === null) return null;
  const entry = new Map(Object.entries(fields));
  const event = entry.get('_PID') === '1';
  const server = event ? serverIn(entry.get('UNIT')) : printedBy(entry);
  const cursor = entry.get('__CURSOR');
  const place = typeof cursor === 'string' ? parseCursor(cursor) : null;
  if (server === null || place === null || typeof cursor !== 'string') return null;
  const message = textOf(entry.get('MESSAGE'));
  return {
    server,
    cursor,
    ...place,
    stream: Number(entry.get('PRIORITY')) <= STDERR_PRIORITY ? 'stderr' : 'stdout',
    line: event ? `systemd: ${message}` : message,
    at: new Date(Math.floor(Number(entry.get('__REALTIME_TIMESTAMP')) / 1000)).toISOString(),
    event,
  };
}

/**
 * journald finds out the unit of a line when it reads it. Of a process that printed and ended before that (a program without one
 * of its libraries) it knows the identifier and the user only.
 */
function printedBy(entry: ReadonlyMap<string, unknown>): string | null {
  const unit = entry.get('_SYSTEMD_UNIT');
  if (unit !== undefined) return serverIn(unit);
  return entry.get('_UID') === ownUid() ? serverIn(`${String(entry.get('SYSLOG_IDENTIFIER'))}.service`) : null;
}

/** Not a constant: l4d2ctl, started by root, becomes the service user. */
function ownUid(): string {
  return String(process.geteuid?.());
}

function serverIn(unit: unknown): string | null {
  return typeof unit === 'string' ? serverOf(unit) : null;
}

/** `s=<journal>;i=<number, hexadecimal>;…` (sd_journal_get_cursor(3) calls it opaque; journalctl seeks by these two alone). */
function parseCursor(cursor: string): { journal: string; number: number } | null {
  const match = /^s=([0-9a-f]{32});i=([0-9a-f]{1,13});/.exec(cursor);
  return match === null ? null : { journal: match[1] ?? '', number: Number.parseInt(match[2] ?? '', 16) };
}

/** What is not UTF-8 comes as a list of bytes; a message of several lines stays one line. */
function textOf(message: unknown): string {
  const text = Array.isArray(message) ? Buffer.from(message.map(Number)).toString('utf8') : message;
  return typeof text === 'string' ? text.replaceAll('\n', ' ') : '';
}
