import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import type { WebSocket } from 'ws';
import type { Principal } from '../auth/access.js';
import type { JobAccess } from '../jobs/job-access.js';
import type { JobLog } from '../jobs/log/job-log.js';
import { positionPattern, type ServerLogStream } from '../logs/server-log-stream.js';
import { problemBody } from '../problems/answer.js';
import { Invalid } from '../problems/problems.js';
import type { Announcements } from '../redis/announcements.js';
import type { Servers } from '../servers/servers.service.js';
import type { LiveLists } from './live-lists.js';
import { type Channel, type ListName, parseChannel, parseMessage, type ServerMessage } from './live-messages.js';

/** Changes within this time are read and sent together. */
const GATHER_MS = 100;
/** Bytes waiting to be sent beyond which a log is read no further. */
const HIGH_WATER = 1_000_000;
const MOST_SUBSCRIPTIONS = 64;

const topics = { servers: 'server', jobs: 'job', overlays: 'overlay', hosts: 'host' } as const;

/** What connections need of the panel. */
export interface LiveContext {
  announcements: Announcements;
  lists: LiveLists;
  jobLog: JobLog;
  jobAccess: JobAccess;
  servers: Servers;
  serverLogs: ServerLogStream;
}

/** Follows something until the signal aborts or nothing more can come; `well` is called when reading works. */
type Follow = (signal: AbortSignal, well: () => void) => Promise<void>;

/** One open console or script: its subscriptions, each of which ends by itself, on request or with the connection. */
export class LiveConnection {
  private readonly logger = new Logger('Live');
  private readonly subscriptions = new Map<string, AbortController>();

  constructor(
    private readonly context: LiveContext,
    private readonly socket: WebSocket,
    private readonly me: Principal,
    /** How long a subscription waits when PostgreSQL or Redis failed it. */
    private readonly againMs: number,
  ) {
    socket.on('message', (data: Buffer) => this.receive(data.toString()));
    socket.on('close', () => this.end());
  }

  send(message: ServerMessage): void {
    if (this.socket.readyState === this.socket.OPEN) this.socket.send(JSON.stringify(message));
  }

  private end(): void {
    for (const subscription of this.subscriptions.values()) subscription.abort();
    this.subscriptions.clear();
  }

  private receive(text: string): void {
    const message = parseMessage(text);
    if (!message) return this.send({ type: 'error', channel: null, status: 400, detail: 'This message is not known.' });
    const { channel: name } = message;
    if (message.type === 'unsubscribe') {
      this.subscriptions.get(name)?.abort();
      this.subscriptions.delete(name);
      return;
    }
    const channel = parseChannel(name);
    if (!channel) return this.send({ type: 'error', channel: name, status: 404, detail: 'There is no such channel.' });
    if (this.subscriptions.size >= MOST_SUBSCRIPTIONS && !this.subscriptions.has(name)) {
      const detail = `One connection may have ${MOST_SUBSCRIPTIONS} subscriptions.`;
      return this.send({ type: 'error', channel: name, status: 429, detail });
    }
    this.subscribe(name, this.follower(name, channel, message.after)).catch((error: unknown) => {
      this.logger.error(`${name}: ${String(error)}`);
      this.socket.terminate();
    });
  }

  private async subscribe(name: string, follow: Follow): Promise<void> {
    this.subscriptions.get(name)?.abort();
    const abort = new AbortController();
    this.subscriptions.set(name, abort);
    try {
      await this.keepOn(name, follow, abort.signal);
    } finally {
      abort.abort();
      if (this.subscriptions.get(name) === abort) this.subscriptions.delete(name);
    }
  }

  /**
   * What the client may not have, or asked wrongly, ends the subscription. When the panel itself fails, it is said once, and the
   * following goes on where it was as soon as reading works again; `subscribed` is sent again then.
   */
  private async keepOn(name: string, follow: Follow, signal: AbortSignal): Promise<void> {
    let state: 'new' | 'well' | 'failing' = 'new';
    const well = () => {
      if (state !== 'well' && !signal.aborted) this.send({ type: 'subscribed', channel: name });
      state = 'well';
    };
    while (!signal.aborted) {
      try {
        return await follow(signal, well);
      } catch (error) {
        if (signal.aborted) return;
        const { status, detail } = problemBody(error);
        if (status < 500) return this.send({ type: 'error', channel: name, status, detail });
        if (state !== 'failing') {
          if (status !== 503) this.logger.error(`${name}: ${String(error)}`);
          this.send({ type: 'error', channel: name, status, detail });
        }
        state = 'failing';
        await pause(this.againMs, signal);
      }
    }
  }

  private follower(name: string, channel: Channel, after: string | undefined): Follow {
    if (channel.kind === 'list') return this.listFollower(channel.list);
    return channel.kind === 'job-log'
      ? this.jobFollower(name, channel.id, after)
      : this.serverFollower(name, channel.id, after);
  }

  private jobFollower(channel: string, id: number, after = '0'): Follow {
    let position = Number(after);
    return async (signal, well) => {
      if (!/^\d{1,9}$/.test(after)) throw new Invalid([{ path: 'after', message: 'must be a seq' }]);
      await this.context.jobAccess.find(this.me, id);
      await this.context.jobLog.read(id, position, 1);
      well();
      for await (const { items, end } of this.context.jobLog.follow(id, position, signal)) {
        if (signal.aborted) return;
        if (items) this.send({ type: 'lines', channel, items });
        position = items?.at(-1)?.seq ?? position;
        if (end) this.send({ type: 'end', channel, ...end });
        await this.drained(signal);
      }
    };
  }

  private serverFollower(channel: string, id: number, after: string | undefined): Follow {
    let position = after;
    return async (signal, well) => {
      if (after !== undefined && !positionPattern.test(after)) {
        throw new Invalid([{ path: 'after', message: 'must be a position' }]);
      }
      const server = await this.context.servers.get(this.me, String(id));
      await this.context.serverLogs.read(server.id, { after: position, lines: 1 });
      well();
      for await (const { items, truncated } of this.context.serverLogs.follow(server.id, { after: position }, signal)) {
        if (signal.aborted) return;
        this.send({ type: 'lines', channel, items, ...(truncated ? { truncated } : {}) });
        position = items.at(-1)?.position ?? position;
        await this.drained(signal);
      }
    };
  }

  private listFollower(list: ListName): Follow {
    const changed = new Set<number>();
    let shown: Set<number> | null = null;
    let listening = false;
    let wake = () => {};
    const listen = (signal: AbortSignal) => {
      listening = true;
      const unlisten = this.context.announcements.on(topics[list], ({ id }) => {
        changed.add(id);
        wake();
      });
      signal.addEventListener('abort', () => {
        unlisten();
        wake();
      });
    };
    return async (signal, well) => {
      // Once: what is announced while reading fails is read later.
      if (!listening) listen(signal);
      shown ??= new Set(await this.context.lists.shown(this.me, list));
      while (!signal.aborted) {
        if (changed.size > 0) {
          await pause(GATHER_MS, signal);
          if (signal.aborted) return;
          await this.sendChanged(list, changed, shown);
        }
        well();
        if (changed.size === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
      }
    };
  }

  /** @param shown what the client knows of the list: it is told of a removal only of these. Others' ids are not its business. */
  private async sendChanged(list: ListName, changed: Set<number>, shown: Set<number>): Promise<void> {
    const ids = [...changed];
    changed.clear();
    let items: { id: number }[];
    try {
      items = await this.context.lists.read(this.me, list, ids);
    } catch (error) {
      for (const id of ids) changed.add(id);
      throw error;
    }
    const found = new Set(items.map((item) => item.id));
    for (const item of items) {
      this.send({ type: 'changed', channel: list, item });
      shown.add(item.id);
    }
    for (const id of ids) {
      if (!found.has(id) && shown.delete(id)) this.send({ type: 'removed', channel: list, id });
    }
  }

  /** A client that reads slowly slows down only its own logs. */
  private async drained(signal: AbortSignal): Promise<void> {
    while (this.socket.bufferedAmount > HIGH_WATER && !signal.aborted) await sleep(20);
  }
}

/** Waits; less when the signal aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
