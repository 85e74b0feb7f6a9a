import type { ServerLogLine } from '@left4me/host';

const BATCH_MS = 20;
const BATCH_LINES = 500;

/** Hands on a batch; throws when that is not possible. The very first lines are marked. */
export type Send = (lines: readonly ServerLogLine[], isFirst: boolean) => Promise<void>;

/** Collects lines for a few milliseconds and hands them on, one batch at a time. */
export class LineBatches {
  private waiting: ServerLogLine[] = [];
  private sending: Promise<void> | null = null;
  private readonly failure = new AbortController();

  /** @param sentAny lines were handed on before these */
  constructor(
    private readonly send: Send,
    private sentAny: boolean,
  ) {}

  /** Whether lines were handed on. */
  get begun(): boolean {
    return this.sentAny;
  }

  /** Aborts when a batch could not be handed on. */
  get failed(): AbortSignal {
    return this.failure.signal;
  }

  /** Nothing more is handed on: what was, is lost. */
  fail(reason: Error): void {
    this.failure.abort(reason);
  }

  /** Takes a line; resolves at once unless a whole batch is waiting. */
  async add(line: ServerLogLine): Promise<void> {
    this.waiting.push(line);
    this.sending ??= this.flush(BATCH_MS);
    if (this.waiting.length >= BATCH_LINES) await this.sending;
  }

  /** Hands on what is left; throws what went wrong, if anything did. */
  async close(): Promise<void> {
    await this.sending;
    if (this.waiting.length > 0) await this.flush(0);
    this.failure.signal.throwIfAborted();
  }

  private async flush(delayMs: number): Promise<void> {
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    const lines = this.waiting;
    this.waiting = [];
    try {
      if (!this.failure.signal.aborted) await this.send(lines, !this.sentAny);
      this.sentAny = true;
    } catch (error) {
      this.failure.abort(error);
    } finally {
      this.sending = null;
    }
    // What came while this batch was being sent.
    if (this.waiting.length > 0) this.sending ??= this.flush(BATCH_MS);
  }
}
