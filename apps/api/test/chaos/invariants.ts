import { type HostName, type Known, callsOf, relation } from './model.js';
import type { Record, Run } from './record.js';

/** A promise of the queue that was not kept. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** A job's row as it is stored. */
export interface Row {
  id: number;
  operation: string;
  state: string;
  exitCode: number | null;
  error: string | null;
  twin: number;
}

export interface LogLine {
  jobId: number;
  seq: number;
  line: string;
}

/** A worker that was killed or left in an orderly way, and when it was gone (ms, monotonic). */
export interface Departure {
  host: HostName;
  gone: number;
  orderly: boolean;
}

/** What an interleaving leaves behind, to be judged when all its jobs have ended. */
export interface Remains {
  known: readonly Known[];
  rows: readonly Row[];
  record: Record;
  log: readonly LogLine[];
  /** Rows of job_claims. */
  claims: number;
  departures: readonly Departure[];
  /** PostgreSQL was away for a while. */
  postgresFailed: boolean;
}

/** @throws Violation for the first promise that was not kept */
export function judge(remains: Remains): void {
  neverTogetherAndInOrder(remains);
  for (const job of remains.known) {
    const row = remains.rows.find(({ id }) => id === job.id);
    if (!row) throw new Violation(`job ${job.id} is not in the table any more`);
    const runs = remains.record.of(job.id);
    onlyOnce(job, runs);
    endsTruthfully(job, row, runs[0], remains);
    logIsWhole(job, runs[0], remains);
  }
  if (remains.claims > 0) throw new Violation(`${remains.claims} claims are left although every job has ended`);
}

function neverTogetherAndInOrder({ known, record }: Remains): void {
  for (const later of known) {
    for (const run of record.of(later.id)) {
      for (const earlier of known) {
        if (earlier.id >= later.id || relation(earlier, later) !== 'ordered') continue;
        for (const before of record.of(earlier.id)) apart(before, run, `${name(earlier)} and ${name(later)}`);
        const cancelledAt = earlier.cancels[0]?.at;
        if (record.of(earlier.id).length === 0 && cancelledAt !== undefined && cancelledAt > run.from) {
          throw new Violation(`line's order: ${name(later)} began while ${name(earlier)} was still waiting`);
        }
      }
    }
  }
}

function apart(earlier: Run, later: Run, which: string): void {
  if (earlier.to !== null && earlier.to <= later.from) return;
  const order = earlier.from <= later.from ? 'ran together' : 'ran in the wrong order';
  throw new Violation(`conflicting jobs ${order}: ${which}`);
}

function onlyOnce(job: Known, runs: readonly Run[]): void {
  if (runs.length > 1) throw new Violation(`${name(job)} ran ${runs.length} times`);
  const calls = runs[0]?.calls.map(({ operation }) => operation) ?? [];
  const due = callsOf[job.operation].slice(0, calls.length);
  if (calls.join() !== due.join()) throw new Violation(`${name(job)} did ${calls.join(', ')} on the host`);
}

function endsTruthfully(job: Known, row: Row, run: Run | undefined, remains: Remains): void {
  const error = row.exitCode === null ? (row.error?.replace(SERVER_NOW, '') ?? null) : row.error;
  const told = `${row.state}, exit code ${row.exitCode}, error ${JSON.stringify(error)}`;
  const possible = possibleEnds(job, run, remains);
  if (!possible.includes(told)) {
    throw new Violation(`${name(job)} ended as\n  ${told}\nbut it could only end as\n  ${possible.join('\n  ')}`);
  }
}

/** An interrupted job also tells what its server was seen doing afterwards; the stand-in's is always stopped. */
const SERVER_NOW = /\. The server is stopped\.$/;

/** Every end that would be true of the job, after what happened to it. */
function possibleEnds(job: Known, run: Run | undefined, { departures, postgresFailed }: Remains): string[] {
  const ends: string[] = [];
  const failed = (code: number | null, error: string): unknown =>
    ends.push(`failed, exit code ${code}, error ${JSON.stringify(error)}`);
  const cancelled = 'cancelled, exit code null, error null';
  const asked = job.cancels.some(({ answer }) => answer !== 'ended');
  const left = departures.filter(({ host, gone }) => host === job.host && gone >= (run?.from ?? 0));

  if (run?.error === null) {
    ends.push('succeeded, exit code 0, error null');
  } else if (run?.error !== undefined) {
    const code = run.calls.at(-1)?.how;
    if (typeof code === 'number') failed(code, run.error);
    // The handler itself gave up: PostgreSQL was away, or an overlay was never built.
    else if (code !== 'abort' && (postgresFailed || run.error.endsWith(' first.'))) failed(1, run.error);
  }
  if (asked && run?.error !== null) ends.push(cancelled);
  // The worker was gone before the end was written, or the claim's answer was lost.
  if (left.length > 0 || (!run && postgresFailed)) {
    failed(null, 'interrupted: the worker ended while the job ran');
    if (asked) ends.push(cancelled);
  }
  if (!run && postgresFailed) failed(null, 'interrupted: the connection to PostgreSQL broke before the job began');
  if (left.some(({ orderly }) => orderly)) failed(null, 'interrupted: the panel was stopped while the job ran');
  return ends;
}

/** The lines that the stand-in writes; the panel adds some of its own. */
const OWN_LINE = /^(install|initialize|start|stop|delete|publish) \S+(?: \d+|: \w+)$/;

function logIsWhole(job: Known, run: Run | undefined, { log, departures }: Remains): void {
  const lines = log.filter(({ jobId }) => jobId === job.id);
  const gap = lines.find(({ seq }, index) => seq !== index + 1);
  if (gap) throw new Violation(`the log of ${name(job)} has line ${gap.seq} after ${lines.indexOf(gap)} lines`);
  const stored = lines.map(({ line }) => line).filter((line) => OWN_LINE.test(line));
  const written = run?.lines ?? [];
  // What a killed worker had not stored is lost with it; its lines are stored from the first on.
  const mayMiss = departures.some(({ host, gone }) => host === job.host && gone >= (run?.from ?? 0));
  const due = mayMiss ? written.slice(0, stored.length) : written;
  if (stored.join('\n') !== due.join('\n')) {
    throw new Violation(`the log of ${name(job)} is\n  ${stored.join('\n  ')}\ninstead of\n  ${written.join('\n  ')}`);
  }
}

/** A job as a person reads it: `job 7 (start of alpha on local)`. */
export function name({ id, operation, server, overlay, host }: Known): string {
  const of = server ?? (overlay === null ? null : `overlay ${overlay}`);
  return `job ${id} (${operation}${of === null ? '' : ` of ${of}`} on ${host})`;
}
