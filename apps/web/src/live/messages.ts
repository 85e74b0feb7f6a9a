import { z } from 'zod';
import { hostSchema } from '../hosts/schema';
import { jobSchema, jobStates } from '../jobs/schema';
import type { LogLine } from '../logs/line';
import { overlaySchema } from '../overlays/schema';
import { serverSchema } from '../servers/schema';

const lineFields = { stream: z.enum(['stdout', 'stderr', 'system']), line: z.string(), at: z.string() };

/** A line of a job (seq) or of a server (position), under one name: `position`. */
export const lineSchema = z
  .union([z.object({ seq: z.number(), ...lineFields }), z.object({ position: z.string(), ...lineFields })])
  .transform((wire): LogLine => ({
    position: 'seq' in wire ? String(wire.seq) : wire.position,
    stream: wire.stream,
    text: wire.line,
    at: wire.at,
  }));

const changedSchema = z.discriminatedUnion('channel', [
  z.object({ type: z.literal('changed'), channel: z.literal('servers'), item: serverSchema }),
  z.object({ type: z.literal('changed'), channel: z.literal('jobs'), item: jobSchema }),
  z.object({ type: z.literal('changed'), channel: z.literal('overlays'), item: overlaySchema }),
  z.object({ type: z.literal('changed'), channel: z.literal('hosts'), item: hostSchema }),
]);

const messageSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('subscribed'), channel: z.string() }),
  z.object({
    type: z.literal('lines'),
    channel: z.string(),
    items: z.array(lineSchema),
    truncated: z.boolean().optional(),
  }),
  z.object({ type: z.literal('end'), channel: z.string(), state: z.enum(jobStates), exitCode: z.number().nullable() }),
  changedSchema,
  z.object({ type: z.literal('removed'), channel: z.string(), id: z.number() }),
  z.object({ type: z.literal('error'), channel: z.string().nullish(), status: z.number(), detail: z.string() }),
  z.object({ type: z.literal('ping') }),
]);
export type LiveMessage = z.output<typeof messageSchema>;

/** One WebSocket frame; null when it is nothing this console knows (a newer panel may say more). */
export function parseMessage(data: unknown): LiveMessage | null {
  if (typeof data !== 'string') return null;
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return null;
  }
  const parsed = messageSchema.safeParse(json);
  return parsed.success ? parsed.data : null;
}
