import { Injectable } from '@nestjs/common';
import { Batches } from '../../database/batches.js';
import { Statements } from '../../database/statements.js';
import type { JobState } from '../job.entity.js';
import type { JobStream } from '../job-log-line.entity.js';

/** A line to be stored. */
export interface NewLine {
  stream: JobStream;
  line: string;
  /** Milliseconds since 1970. */
  at: number;
}

/** Lines of one running job, which come after its line `after`. */
interface Append {
  jobId: number;
  incarnation: string;
  after: number;
  lines: readonly NewLine[];
}

export interface LogItem {
  /** Gapless from 1, but for what a marker line counts as left out. */
  seq: number;
  stream: JobStream;
  line: string;
  at: string;
}

/** A job as its log is read: what it was at the time, and lines. The lines of one that had ended are complete. */
export interface LogPage {
  /** Null: there is no such job. */
  job: { state: JobState; exitCode: number | null; ended: boolean } | null;
  items: LogItem[];
}

interface Wanted {
  jobId: number;
  after: number;
  limit: number;
}

/** Lines of one statement: of the longest, 20 MB. */
const LINES = 5000;
const READ_LINES = 40_000;

/** A batch whose answer was lost may be sent again: what is stored already is left as it is. */
const insert = {
  name: 'append-job-lines',
  text: `INSERT INTO job_log (job_id, seq, stream, line, at)
    SELECT job_id, seq, stream, line, to_timestamp(at / 1000)
    FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::float8[]) AS lines (job_id, seq, stream, line, at)
    WHERE job_id = ANY (ARRAY(
      SELECT jobs.id FROM unnest($6::int[], $7::uuid[]) AS writer (job_id, incarnation), jobs
      WHERE jobs.id = ANY ($6) AND jobs.id = writer.job_id AND jobs.incarnation = writer.incarnation
        AND jobs.finished_at IS NULL))
    ON CONFLICT DO NOTHING`,
};

const select = {
  name: 'read-job-lines',
  text: `SELECT wanted.n::int, jobs.state, jobs.exit_code AS "exitCode", jobs.finished_at IS NOT NULL AS ended,
      found.seq, found.stream, found.line, found.at
    FROM unnest($1::int[], $2::int[], $3::int[]) WITH ORDINALITY AS wanted (job_id, after, most, n)
    JOIN jobs ON jobs.id = wanted.job_id
    LEFT JOIN LATERAL (
      SELECT seq, stream, line, (extract(epoch FROM at) * 1000)::float8 AS at FROM job_log
      WHERE job_log.job_id = wanted.job_id AND seq > wanted.after ORDER BY seq LIMIT wanted.most
    ) found ON true
    ORDER BY wanted.n, found.seq`,
};

interface Row {
  n: number;
  state: JobState;
  exitCode: number | null;
  ended: boolean;
  /** Null: there is no line. */
  seq: number | null;
  stream: JobStream;
  line: string;
  at: number;
}

const trim = {
  name: 'trim-job-lines',
  text: `WITH gone AS (DELETE FROM job_log WHERE job_id = $1 AND seq > $2 + 1 AND seq <= $3)
    UPDATE job_log SET stream = 'system', line = $4 WHERE job_id = $1 AND seq = $2 + 1`,
};

/** The table of jobs' lines. What is asked while a statement is under way shares the next one. */
@Injectable()
export class JobLines {
  private readonly appends = new Batches(
    (batch: Append[]) => this.insertAll(batch),
    LINES,
    ({ lines }) => lines.length,
  );
  private readonly reads = new Batches(
    (batch: Wanted[]) => this.selectAll(batch),
    READ_LINES,
    ({ limit }) => limit,
  );

  constructor(private readonly statements: Statements) {}

  /** Stores lines of a job that this incarnation runs; of any other job nothing. */
  append(lines: Append): Promise<void> {
    return this.appends.add(lines);
  }

  /** At most `limit` lines after `after` (0: from the first). */
  read(jobId: number, after: number, limit: number): Promise<LogPage> {
    return this.reads.add({ jobId, after, limit });
  }

  /** Takes out the lines after the first `keep`, up to number `until`; `marker` stands in their place. */
  async leaveOut(jobId: number, keep: number, until: number, marker: string): Promise<void> {
    await this.statements.run(trim, [jobId, keep, until, marker]);
  }

  private async insertAll(batch: Append[]): Promise<void[]> {
    const [jobIds, seqs, streams, texts, times]: [number[], number[], string[], string[], number[]] = [
      [],
      [],
      [],
      [],
      [],
    ];
    for (const { jobId, after, lines } of batch) {
      let seq = after;
      for (const { stream, line, at } of lines) {
        seq += 1;
        jobIds.push(jobId);
        seqs.push(seq);
        streams.push(stream);
        texts.push(line);
        times.push(at);
      }
    }
    const writers = [batch.map(({ jobId }) => jobId), batch.map(({ incarnation }) => incarnation)];
    await this.statements.run(insert, [jobIds, seqs, streams, texts, times, ...writers]);
    return batch.map(() => undefined);
  }

  private async selectAll(batch: Wanted[]): Promise<LogPage[]> {
    const rows = await this.statements.run<Row>(select, [
      batch.map(({ jobId }) => jobId),
      batch.map(({ after }) => after),
      batch.map(({ limit }) => limit),
    ]);
    const pages = batch.map((): LogPage => ({ job: null, items: [] }));
    for (const { n, state, exitCode, ended, seq, stream, line, at } of rows) {
      const page = pages[n - 1];
      if (!page) continue;
      page.job ??= { state, exitCode, ended };
      if (seq !== null) page.items.push({ seq, stream, line, at: new Date(at).toISOString() });
    }
    return pages;
  }
}
