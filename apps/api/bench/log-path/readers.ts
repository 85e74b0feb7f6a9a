/*
 * The readers: one WebSocket per job, all in this process, so that their work is not the panel's or the relay's. Says once, when every
 * log has ended, what came and how long it took.
 */
import { WebSocket } from 'ws';
import { z } from 'zod';
import { percentile } from '../statistics.js';
import { now, readLine } from './line.js';
import { say, task } from './program.js';

const item = z.object({ line: z.string() });
/** Of the panel (its contract has more types), and of the relay. */
const frame = z.union([
  z.object({ type: z.literal('lines'), items: z.array(item) }),
  z.object({ type: z.literal('end') }),
  z.object({ type: z.literal('error'), detail: z.string() }),
  z.object({ type: z.literal('line'), line: z.string() }),
  z.object({ type: z.enum(['subscribed', 'ping']) }),
]);

const { readers, lines } = task(
  z.object({
    lines: z.number(),
    readers: z.array(z.object({ url: z.string(), cookie: z.string().optional(), subscribe: z.string().optional() })),
  }),
);
const took = new Float64Array(readers.length * lines);
let came = 0;
/** Lines that were not the one after the line before. */
let outOfOrder = 0;
/** Of all children together: how fast they could write. One whose pipe is full has to wait. */
let perSecond = 0;

await Promise.all(readers.map((reader) => read(reader)));
say({
  lost: took.length - came,
  outOfOrder,
  p50: percentile(took.subarray(0, came), 0.5),
  p99: percentile(took.subarray(0, came), 0.99),
  perSecond,
});
process.disconnect();

/** Resolves when the log has ended. */
function read({ url, cookie, subscribe }: (typeof readers)[number]): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, cookie === undefined ? {} : { headers: { cookie } });
    let next = 0;
    let first = Infinity;
    let last = 0;
    const take = (text: string, at: number) => {
      const line = readLine(text);
      if (!line) return;
      if (line.n !== next) outOfOrder += 1;
      next = line.n + 1;
      took[came] = at - line.at;
      came += 1;
      first = Math.min(first, line.at);
      last = line.at;
    };
    socket.on('open', () => {
      if (subscribe !== undefined) socket.send(JSON.stringify({ type: 'subscribe', channel: subscribe }));
    });
    socket.on('message', (data: Buffer) => {
      const message = frame.parse(JSON.parse(data.toString()));
      const at = now();
      if (message.type === 'line') take(message.line, at);
      if (message.type === 'lines') for (const { line } of message.items) take(line, at);
      if (message.type === 'error') reject(new Error(message.detail));
      if (message.type === 'end') {
        perSecond += ((next - 1) / (last - first)) * 1000;
        socket.close();
        resolve();
      }
    });
    socket.on('close', () => reject(new Error('a log was closed before its end')));
    socket.on('error', reject);
  });
}
