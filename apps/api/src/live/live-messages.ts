import { z } from 'zod';

const lists = ['servers', 'jobs', 'overlays', 'hosts'] as const;
export type ListName = (typeof lists)[number];

/** What can be subscribed to. */
export type Channel =
  | { kind: 'list'; list: ListName }
  | { kind: 'job-log'; id: number }
  | { kind: 'server-log'; id: number };

const message = z.discriminatedUnion('type', [
  /** `after`: the last seq (job) or position (server log) that was received; without it from the beginning, or the last lines. */
  z.object({ type: z.literal('subscribe'), channel: z.string().max(64), after: z.string().max(40).optional() }),
  z.object({ type: z.literal('unsubscribe'), channel: z.string().max(64) }),
]);
export type ClientMessage = z.infer<typeof message>;

/** A client's frame; null when it is none that we know. */
export function parseMessage(text: string): ClientMessage | null {
  try {
    return message.safeParse(JSON.parse(text)).data ?? null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** `servers`, `jobs`, `overlays`, `hosts`, `job:<id>` or `server:<id>:log`; null for anything else. */
export function parseChannel(name: string): Channel | null {
  const list = lists.find((known) => known === name);
  if (list) return { kind: 'list', list };
  const [, job, server] = /^(?:job:([1-9]\d{0,8})|server:([1-9]\d{0,8}):log)$/.exec(name) ?? [];
  if (job) return { kind: 'job-log', id: Number(job) };
  if (server) return { kind: 'server-log', id: Number(server) };
  return null;
}

/** What the panel sends. Items are those of the REST API. */
export type ServerMessage =
  | { type: 'subscribed'; channel: string }
  | { type: 'lines'; channel: string; items: unknown[]; truncated?: true }
  | { type: 'end'; channel: string; state: string; exitCode: number | null }
  | { type: 'changed'; channel: ListName; item: unknown }
  | { type: 'removed'; channel: ListName; id: number }
  | { type: 'error'; channel: string | null; status: number; detail: string }
  | { type: 'ping' };
