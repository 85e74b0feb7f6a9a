import type { Told } from './messages.js';

/** A call of the host library as the stand-in saw it. */
export interface Call {
  operation: string;
  subject: string;
  /** `finish`, `abort` or the code it failed with; null: it was going on when its process ended. */
  how: 'finish' | 'abort' | number | null;
}

/** One time that a worker ran a job's handler. Times in ms of the machine's monotonic clock. */
export interface Run {
  by: string;
  from: number;
  /** When the handler was left, or its process was gone. */
  to: number | null;
  calls: Call[];
  /** The lines that the stand-in gave to the job's log. */
  lines: string[];
  /** What the handler threw; null: nothing; undefined: it was not left. */
  error: string | null | undefined;
}

/** What really happened on the hosts, as told by the processes themselves. */
export class Record {
  private readonly runs = new Map<number, Run[]>();

  of(jobId: number): readonly Run[] {
    return this.runs.get(jobId) ?? [];
  }

  take(by: string, message: Told): void {
    if (message.kind === 'taken') {
      const run: Run = { by, from: message.at, to: null, calls: [], lines: [], error: undefined };
      this.runs.set(message.jobId, [...this.of(message.jobId), run]);
      return;
    }
    if (!('jobId' in message)) return;
    const run = this.of(message.jobId).findLast((one) => one.by === by && one.to === null);
    if (!run) throw new Error(`${by} tells of job ${message.jobId}, which it does not run: ${JSON.stringify(message)}`);
    if (message.kind === 'begun') {
      run.calls.push({ operation: message.operation, subject: message.subject, how: null });
    } else if (message.kind === 'line') {
      run.lines.push(message.text);
    } else if (message.kind === 'over') {
      const call = run.calls.at(-1);
      if (call) call.how = message.how;
    } else {
      run.to = message.at;
      run.error = message.error;
    }
  }

  /** The process is gone, and with it what it ran. */
  gone(by: string, at: number): void {
    for (const runs of this.runs.values()) {
      for (const run of runs) if (run.by === by) run.to ??= at;
    }
  }

  forget(): void {
    this.runs.clear();
  }
}
