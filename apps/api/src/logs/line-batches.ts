import type { ServerLogLine } from '@left4me/host';

const BATCH_MS = 20;
const BATCH_LINES = 500;
const CHECK_MS = 2000;

/** Hands on a batch; throws when that is not possible. The very first lines are marked. */
export type Send = (lines: readonly ServerLogLine[], isFirst: boolean) => Promise<void>;

/** Collects lines for a few milliseconds and hands them on, one batch at a time; without lines an empty batch every two seconds. */
export class LineBatches {
  private waiting: ServerLogLine[] = [];
  private sending: Promise<void> | null = null;
  private readonly failure = new AbortController();
  private readonly check: NodeJS.Timeout;

  /** @param sentAny lines were handed on before these */
  constructor(
    private readonly send: Send,
    private sentAny: boolean,
  ) {
    this.check = setInterval(() => {
      if (this.sentAny) this.sending ??= this.flush(0);
    }, CHECK_MS);
  }

  /** Aborts when a batch could not be handed on. */
  get failed(): AbortSignal {
    return this.failure.signal;
  }

  /** Takes a line; resolves at once unless a whole batch is waiting. */
  async add(line: ServerLogLine): Promise<void> {
    this.waiting.push(line);
    this.sending ??= this.flush(BATCH_MS);
    if (this.waiting.length >= BATCH_LINES) await this.sending;
  }

  /** Hands on what is left; throws what went wrong, if anything did. */
  async close(): Promise<void> {
    clearInterval(this.check);
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
      if (lines.length > 0) this.sentAny = true;
    } catch (error) {
      this.failure.abort(error);
    } finally {
      this.sending = null;
    }
    // What came while this batch was being sent.
    if (this.waiting.length > 0) this.sending ??= this.flush(BATCH_MS);
  }
}
