import type { Run } from '@left4me/host';
import { type Operation, operations } from '../job.entity.js';

/** A job that this process has claimed and runs. */
export interface RunningJob {
  id: number;
  operation: Operation;
  hostId: number;
  serverId: number | null;
  serverName: string | null;
  overlayId: number | null;
  build: string | null;
  restoreEntryId: number | null;
}

/** What carries out operations. No transaction or pooled connection may be held while it waits for the host. */
export interface OperationHandler {
  readonly operations: readonly Operation[];
  /** Longest time the operation may take, in seconds; then it is aborted and the job has failed. */
  readonly limitSeconds: number;
  /** Returns when the operation has succeeded; throws a HostError, a Problem or any other error when it has failed. */
  run(job: RunningJob, run: Run): Promise<void>;
}

/** The handlers by operation. The program refuses to boot unless each operation has exactly one. */
export class OperationHandlers {
  private readonly byOperation = new Map<string, OperationHandler>();

  constructor(handlers: readonly OperationHandler[]) {
    for (const handler of handlers) {
      for (const operation of handler.operations) {
        if (this.byOperation.has(operation)) throw new Error(`Operation ${operation} has two handlers.`);
        this.byOperation.set(operation, handler);
      }
    }
    const missing = operations.filter((operation) => !this.byOperation.has(operation));
    if (missing.length > 0) throw new Error(`These operations have no handler: ${missing.join(', ')}.`);
  }

  /** The handler of an operation read from the database, which a newer program may have written; undefined: unknown. */
  find(operation: string): OperationHandler | undefined {
    return this.byOperation.get(operation);
  }
}
