import { z } from 'zod';
import type { Order, Request, World } from './model.js';

/** Milliseconds of the machine's monotonic clock, the same in every process. */
const at = z.number();
const jobId = z.number().int();

/** What a process of the fleet tells. */
export const told = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('serving') }),
  z.object({ kind: z.literal('answer'), call: z.number(), value: z.unknown() }),
  z.object({ kind: z.literal('refusal'), call: z.number(), conflict: z.boolean(), text: z.string() }),
  /** The worker has claimed the job and runs its handler. */
  z.object({ kind: z.literal('taken'), jobId, at }),
  z.object({ kind: z.literal('begun'), jobId, operation: z.string(), subject: z.string(), at }),
  z.object({ kind: z.literal('line'), jobId, text: z.string() }),
  z.object({ kind: z.literal('over'), jobId, how: z.union([z.enum(['finish', 'abort']), z.number().int()]), at }),
  z.object({ kind: z.literal('left'), jobId, error: z.string().nullable(), at }),
]);
export type Told = z.infer<typeof told>;

/** What a process of the fleet is told; those with `call` are answered. */
export type Telling =
  | { kind: 'world'; world: World }
  | { kind: 'order'; jobId: number; order: Order }
  | { kind: 'close' }
  | ({ call: number } & Question);

export type Question =
  | { kind: 'ping' }
  | { kind: 'enqueue'; request: Request; overlays: readonly number[] }
  | { kind: 'cancel'; jobId: number };

/** The answer to `enqueue`: which of the overlays had a revision before the job was queued, and after. */
export const enqueued = z.object({
  jobId,
  builtBefore: z.array(z.number()),
  builtAfter: z.array(z.number()),
});
