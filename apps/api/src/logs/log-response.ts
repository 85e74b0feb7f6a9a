import { once } from 'node:events';
import type { Request, Response } from 'express';
import { goneOf } from '../problems/gone.js';

const PING_MS = 15_000;

/** What a followed log consists of. */
export interface LogStep<Item> {
  items?: Item[];
  /** Bytes before the first item that are not given. */
  skipped?: number;
  truncated?: boolean;
  end?: { state: string; exitCode: number | null };
}

/** How one kind of log is written down. */
export interface LogFormat<Item> {
  /** The resume position of an item, which SSE clients give back as Last-Event-ID. */
  position(item: Item): string;
  line(item: Item): string;
}

interface Writer<Item> {
  type: string;
  item(item: Item, format: LogFormat<Item>): string;
  skipped(bytes: number): string;
  truncated: string;
  end(end: NonNullable<LogStep<Item>['end']>): string;
  ping: string;
}

const ndjson = <Item>(): Writer<Item> => ({
  type: 'application/x-ndjson; charset=utf-8',
  item: (item) => `${JSON.stringify(item)}\n`,
  skipped: (bytes) => `{"skipped":${bytes}}\n`,
  truncated: '{"truncated":true}\n',
  end: (end) => `${JSON.stringify({ end })}\n`,
  ping: '{"ping":true}\n',
});

const sse = <Item>(): Writer<Item> => ({
  type: 'text/event-stream; charset=utf-8',
  item: (item, format) => `id: ${format.position(item)}\nevent: line\ndata: ${JSON.stringify(item)}\n\n`,
  skipped: (bytes) => `event: skipped\ndata: ${bytes}\n\n`,
  truncated: 'event: truncated\ndata: {}\n\n',
  end: (end) => `event: end\ndata: ${JSON.stringify(end)}\n\n`,
  ping: ': ping\n\n',
});

const text = <Item>(): Writer<Item> => ({
  type: 'text/plain; charset=utf-8',
  item: (item, format) => `${format.line(item)}\n`,
  skipped: (bytes) => `… ${bytes} bytes before this are left out …\n`,
  truncated: '… older lines are not kept …\n',
  end: () => '',
  ping: '',
});

/** NDJSON or SSE where they are asked for by name; plain text otherwise, so that `curl -N` just works. */
function writerFor<Item>(request: Request): Writer<Item> {
  const wanted = request.headers.accept ?? '*/*';
  if (wanted.includes('application/x-ndjson')) return ndjson();
  if (wanted.includes('text/event-stream')) return sse();
  return text();
}

/**
 * Streams a followed log to the client until it ends or the client leaves. NDJSON and SSE end with `end`; an end of the stream
 * without it means that the connection broke: retry from the last position.
 */
export async function streamLog<Item>(
  request: Request,
  response: Response,
  format: LogFormat<Item>,
  follow: (signal: AbortSignal) => AsyncIterable<LogStep<Item>>,
): Promise<void> {
  const writer = writerFor<Item>(request);
  const gone = goneOf(response);
  if (gone.aborted) return;
  response.status(200);
  response.setHeader('Content-Type', writer.type);
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  // nginx would hold lines back otherwise.
  response.setHeader('X-Accel-Buffering', 'no');
  response.flushHeaders();
  const ping = setInterval(() => writer.ping && response.write(writer.ping), PING_MS);
  try {
    for await (const step of follow(gone)) {
      let chunk = step.truncated ? writer.truncated : '';
      if (step.skipped) chunk += writer.skipped(step.skipped);
      for (const item of step.items ?? []) chunk += writer.item(item, format);
      if (step.end) chunk += writer.end(step.end);
      if (chunk && !response.write(chunk)) await once(response, 'drain', { signal: gone });
    }
    response.end();
  } catch (error) {
    // Nobody is there any more to be told.
    if (!gone.aborted) throw error;
  } finally {
    clearInterval(ping);
  }
}

/** The resume position of a reconnecting SSE client. */
export function lastEventId(request: Request): string | undefined {
  const id = request.headers['last-event-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}
