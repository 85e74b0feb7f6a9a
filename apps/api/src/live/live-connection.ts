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

/** One open console or script: its subscriptions, each of which ends by itself, on request or with the connection. */
export class LiveConnection {
  private readonly logger = new Logger('Live');
  private readonly subscriptions = new Map<string, AbortController>();

  constructor(
    private readonly context: LiveContext,
    private readonly socket: WebSocket,
    private readonly me: Principal,
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
    void this.subscribe(name, channel, message.after);
  }

  private async subscribe(name: string, channel: Channel, after: string | undefined): Promise<void> {
    this.subscriptions.get(name)?.abort();
    const abort = new AbortController();
    this.subscriptions.set(name, abort);
    try {
      if (channel.kind === 'list') await this.followList(channel.list, abort.signal);
      else if (channel.kind === 'job-log') await this.followJob(name, channel.id, after, abort.signal);
      else await this.followServer(name, channel.id, after, abort.signal);
    } catch (error) {
      if (abort.signal.aborted) return;
      const { status, detail } = problemBody(error);
      if (status >= 500) this.logger.error(`${name}: ${String(error)}`);
      this.send({ type: 'error', channel: name, status, detail });
    } finally {
      if (this.subscriptions.get(name) === abort) this.subscriptions.delete(name);
    }
  }

  private async followJob(channel: string, id: number, after: string | undefined, signal: AbortSignal): Promise<void> {
    if (after !== undefined && !/^\d{1,9}$/.test(after))
      throw new Invalid([{ path: 'after', message: 'must be a seq' }]);
    await this.context.jobAccess.find(this.me, id);
    this.send({ type: 'subscribed', channel });
    for await (const { items, end } of this.context.jobLog.follow(id, Number(after ?? 0), signal)) {
      if (signal.aborted) return;
      if (items) this.send({ type: 'lines', channel, items });
      if (end) this.send({ type: 'end', channel, ...end });
      await this.drained(signal);
    }
  }

  private async followServer(
    channel: string,
    id: number,
    after: string | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    if (after !== undefined && !positionPattern.test(after)) {
      throw new Invalid([{ path: 'after', message: 'must be a position' }]);
    }
    const server = await this.context.servers.get(this.me, String(id));
    this.send({ type: 'subscribed', channel });
    for await (const { items, truncated } of this.context.serverLogs.follow(server.id, { after }, signal)) {
      if (signal.aborted) return;
      this.send({ type: 'lines', channel, items, ...(truncated ? { truncated } : {}) });
      await this.drained(signal);
    }
  }

  private async followList(list: ListName, signal: AbortSignal): Promise<void> {
    const changed = new Set<number>();
    let wake = () => {};
    const unlisten = this.context.announcements.on(topics[list], ({ id }) => {
      changed.add(id);
      wake();
    });
    signal.addEventListener('abort', () => wake());
    this.send({ type: 'subscribed', channel: list });
    try {
      while (!signal.aborted) {
        if (changed.size === 0) await new Promise<void>((resolve) => (wake = resolve));
        await sleep(GATHER_MS, undefined, { signal });
        const ids = [...changed];
        changed.clear();
        await this.sendChanged(list, ids);
      }
    } finally {
      unlisten();
    }
  }

  private async sendChanged(list: ListName, ids: number[]): Promise<void> {
    const items = await this.context.lists.read(this.me, list, ids);
    const found = new Set(items.map((item) => item.id));
    for (const item of items) this.send({ type: 'changed', channel: list, item });
    for (const id of ids) if (!found.has(id)) this.send({ type: 'removed', channel: list, id });
  }

  /** A client that reads slowly slows down only its own logs. */
  private async drained(signal: AbortSignal): Promise<void> {
    while (this.socket.bufferedAmount > HIGH_WATER && !signal.aborted) await sleep(20);
  }
}
