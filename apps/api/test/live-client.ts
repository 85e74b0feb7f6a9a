import { WebSocket } from 'ws';
import { z } from 'zod';
import { eventually } from './eventually.js';

const item = z.looseObject({
  id: z.number().optional(),
  position: z.string().optional(),
  seq: z.number().optional(),
  line: z.string().optional(),
});
const frame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('subscribed'), channel: z.string() }),
  z.object({ type: z.literal('lines'), channel: z.string(), items: z.array(item), truncated: z.boolean().optional() }),
  z.object({ type: z.literal('end'), channel: z.string(), state: z.string(), exitCode: z.number().nullable() }),
  z.object({ type: z.literal('changed'), channel: z.string(), item }),
  z.object({ type: z.literal('removed'), channel: z.string(), id: z.number() }),
  z.object({ type: z.literal('error'), channel: z.string().nullable(), status: z.number(), detail: z.string() }),
  z.object({ type: z.literal('ping') }),
]);
export type Frame = z.infer<typeof frame>;
export type Item = z.infer<typeof item>;

/** A script or console at the panel's WebSocket. Frames that the contract does not know make it fail. */
export class LiveClient {
  readonly frames: { frame: Frame; at: number }[] = [];
  /** The code it was closed with; null: it is open. */
  closed: number | null = null;
  /** The HTTP status of a refused upgrade. */
  refused: number | null = null;

  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.frames.push({ frame: frame.parse(JSON.parse(data.toString())), at: performance.now() });
    });
    socket.on('close', (code) => (this.closed = code));
    socket.on('unexpected-response', (_request, response) => {
      this.refused = response.statusCode ?? 0;
      socket.terminate();
    });
    socket.on('error', () => undefined);
  }

  /** Resolves when it is open, refused or closed. */
  static async open(url: string, headers: Record<string, string>): Promise<LiveClient> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/v1/ws`, { headers });
    const client = new LiveClient(socket);
    await eventually(
      'the connection is answered',
      () => socket.readyState !== WebSocket.CONNECTING || client.refused !== null,
    );
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  subscribe(channel: string, after?: string): void {
    this.send({ type: 'subscribe', channel, ...(after === undefined ? {} : { after }) });
  }

  /** Frames of a type on a channel, in order. */
  of<T extends Frame['type']>(type: T, channel: string): Extract<Frame, { type: T }>[] {
    return this.frames.flatMap(({ frame: f }) =>
      f.type === type && 'channel' in f && f.channel === channel ? [f as Extract<Frame, { type: T }>] : [],
    );
  }

  /** The items of all `lines` of a channel. */
  items(channel: string): Item[] {
    return this.of('lines', channel).flatMap(({ items }) => items);
  }

  /** Leaves without a word, as a phone that loses its network. */
  cut(): void {
    this.socket.terminate();
  }
}
