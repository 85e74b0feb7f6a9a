import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { z } from 'zod';
import { RedisConnections } from './redis.js';

const announcement = z.discriminatedUnion('topic', [
  /** A row changed (or is gone): whoever shows it reads it again. */
  z.object({
    topic: z.enum(['job', 'server', 'overlay', 'host']),
    id: z.number(),
    removed: z.boolean().optional(),
    /** A server is on another host now, so its log is another one. */
    moved: z.boolean().optional(),
  }),
  /** Lines of a job's log up to `seq` are in the table. */
  z.object({ topic: z.literal('job-log'), id: z.number(), seq: z.number() }),
  /** New lines are in the server's stream, or (`anew`) it begins anew, with positions that say nothing about the earlier ones. */
  z.object({ topic: z.literal('server-log'), id: z.number(), anew: z.boolean().optional() }),
  /** The job is to be cancelled; its worker listens. */
  z.object({ topic: z.literal('cancel'), id: z.number() }),
  /** Something in the host's trash is to be removed; its worker listens. */
  z.object({ topic: z.literal('purge'), id: z.number() }),
]);
export type Announcement = z.infer<typeof announcement>;
const envelope = z.object({ origin: z.string(), messages: z.array(announcement) });

/**
 * Tells every process of the panel that something changed. Only a hint: it may be lost with Redis, so whoever waits for something
 * also looks again by itself every few seconds.
 */
@Injectable()
export class Announcements implements OnApplicationBootstrap {
  private readonly logger = new Logger('Announcements');
  private readonly origin = randomUUID();
  private readonly local = new EventEmitter().setMaxListeners(0);
  private readonly channel: string;
  /** What the other processes are still to be told, each thing once. */
  private readonly outbox = new Map<string, Announcement>();

  constructor(private readonly redis: RedisConnections) {
    this.channel = `${redis.prefix}:announcements`;
  }

  onApplicationBootstrap(): void {
    // Waits for Redis however long it is away, and subscribes again by itself after a reconnect.
    const subscriber = this.redis.connect({ maxRetriesPerRequest: null });
    subscriber.on('message', (_channel, text) => this.receive(text));
    subscriber.subscribe(this.channel).catch((error: unknown) => this.logger.debug(`not subscribed: ${String(error)}`));
  }

  /** Announces to this process at once, and to the others if Redis is there. */
  publish(message: Announcement): void {
    this.emit(message);
    if (this.outbox.size === 0) setImmediate(() => this.send());
    const key = `${message.topic} ${message.id}`;
    const before = this.outbox.get(key);
    // What is gone stays gone.
    if (!before || !('removed' in before)) this.outbox.set(key, message);
  }

  private send(): void {
    const messages = [...this.outbox.values()];
    this.outbox.clear();
    this.redis.commands.publish(this.channel, JSON.stringify({ origin: this.origin, messages })).catch(() => {
      // Redis is away (its own log line says so): followers look again by themselves.
    });
  }

  /** Calls `listener` for every announcement of the topic; the returned function ends that. */
  on<T extends Announcement['topic']>(
    topic: T,
    listener: (message: Extract<Announcement, { topic: T }>) => void,
  ): () => void {
    this.local.on(topic, listener);
    return () => this.local.off(topic, listener);
  }

  /** Resolves when lines of that log may be new, the time is up or the signal aborts. */
  async logChanged(topic: 'job-log' | 'server-log', id: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const event = `${topic}:${id}`;
      const done = () => {
        clearTimeout(timer);
        this.local.off(event, done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.local.on(event, done);
      signal.addEventListener('abort', done);
    });
  }

  private receive(text: string): void {
    const parsed = envelope.safeParse(parseJson(text));
    if (!parsed.success) return this.logger.warn(`not an announcement: ${text.slice(0, 200)}`);
    if (parsed.data.origin === this.origin) return;
    for (const message of parsed.data.messages) this.emit(message);
  }

  private emit(message: Announcement): void {
    this.local.emit(message.topic, message);
    if (message.topic === 'job-log' || message.topic === 'server-log')
      this.local.emit(`${message.topic}:${message.id}`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
