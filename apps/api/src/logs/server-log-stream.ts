import type { ServerLogLine } from '@left4me/host';
import { Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { z } from 'zod';
import { Announcements } from '../redis/announcements.js';
import { RedisConnections } from '../redis/redis.js';

/** Lines kept per server in Redis; the log segments on the host are the truth. */
export const STREAM_LINES = 20_000;
/** How many of the last lines come first when nobody says where to begin. */
const LAST_LINES = 500;
const PAGE = 1000;
const BEFORE_ALL = '0-0';
const LOOK_AGAIN_MS = 2000;

export const positionPattern = /^\d{1,15}-\d{1,15}$/;
const stored = z.tuple([z.enum(['stdout', 'stderr']), z.string(), z.string()]);

export interface ServerLogPage {
  items: ServerLogLine[];
  /** The position asked for is older than what is kept: lines are missing before the first item. */
  truncated: boolean;
}

/** The stream that lines were to be added to is not there any more. */
export class StreamGone extends Error {
  constructor() {
    super('its stream in Redis is gone');
  }
}

/** The stream has lines of another machine, whose positions are none of this one's. */
export class OtherLog extends Error {
  constructor() {
    super('its stream in Redis was that of another host');
  }
}

/** Where to begin reading: after a position, or with the last lines. */
export interface ReadFrom {
  after?: string | undefined;
  lines?: number | undefined;
}

/** A server's log as a capped Redis stream. The entries' ids are the host's own positions, so feeding twice adds nothing twice. */
@Injectable()
export class ServerLogStream implements OnApplicationBootstrap {
  private readonly logger = new Logger('ServerLogs');
  constructor(
    private readonly redis: RedisConnections,
    private readonly announcements: Announcements,
  ) {}

  onApplicationBootstrap(): void {
    this.announcements.on('server', ({ id, removed, moved }) => {
      // Should Redis be away just now, the stream stays: it is capped, and the new host's worker sees that it is another's.
      if (removed || moved) this.clear(id).catch(() => undefined);
    });
  }

  private key(serverId: number): string {
    return `${this.redis.prefix}:server-log:${serverId}`;
  }

  /** The position of the last line in the stream; null: it is empty, or gone with Redis. */
  async last(serverId: number): Promise<string | null> {
    const [entry] = await this.redis.commands.xrevrange(this.key(serverId), '+', '-', 'COUNT', 1);
    return entry?.[0] ?? null;
  }

  /** For a log with other positions: whoever follows it reads it from its begin. */
  async clear(serverId: number): Promise<void> {
    await this.redis.commands.del(this.key(serverId));
    this.announcements.publish({ topic: 'server-log', id: serverId, anew: true });
  }

  /** Whether none of these servers' streams is missing. */
  async allThere(serverIds: readonly number[]): Promise<boolean> {
    return (
      serverIds.length === 0 ||
      (await this.redis.commands.exists(serverIds.map((id) => this.key(id)))) === serverIds.length
    );
  }

  /**
   * Appends lines in order; those that are there already are passed over.
   * @param mayBegin makes the stream with the first line. Otherwise it must be there: one that Redis lost at this very moment would
   *   begin in the middle of the log
   * @throws StreamGone
   */
  async append(serverId: number, lines: readonly ServerLogLine[], mayBegin: boolean): Promise<void> {
    const key = this.key(serverId);
    const pipeline = this.redis.commands.pipeline();
    for (const [index, { position, stream, line, at }] of lines.entries()) {
      const options = mayBegin && index === 0 ? [] : ['NOMKSTREAM'];
      const entry = [position, 'l', JSON.stringify([stream, line, at])];
      pipeline.xadd(key, ...options, 'MAXLEN', '~', STREAM_LINES, ...entry);
    }
    let refused = 0;
    for (const [error, position] of (await pipeline.exec()) ?? []) {
      if (error && !error.message.includes('equal or smaller')) throw error;
      if (error) refused++;
      else if (position === null) throw new StreamGone();
    }
    if (!mayBegin && refused > 0 && refused === lines.length) {
      this.logger.warn(`${refused} lines of server ${serverId} are not shown: its stream in Redis has later ones`);
    }
    this.announcements.publish({ topic: 'server-log', id: serverId });
  }

  /** Lines after a position, or the last ones. */
  async read(serverId: number, from: ReadFrom): Promise<ServerLogPage> {
    const key = this.key(serverId);
    if (from.after === undefined) {
      const newest = await this.redis.commands.xrevrange(key, '+', '-', 'COUNT', from.lines ?? LAST_LINES);
      return { items: newest.toReversed().map(parse), truncated: false };
    }
    const entries = await this.redis.commands.xrange(key, `(${from.after}`, '+', 'COUNT', from.lines ?? PAGE);
    const [oldest] = await this.redis.commands.xrange(key, '-', '+', 'COUNT', 1);
    return { items: entries.map(parse), truncated: oldest !== undefined && isBefore(from.after, oldest[0]) };
  }

  /** Follows the log until the signal aborts; yields pages that are never empty unless they say `truncated`. */
  async *follow(serverId: number, from: ReadFrom, signal: AbortSignal): AsyncGenerator<ServerLogPage> {
    let position = from.after;
    let changed: Promise<void> | null = null;
    let anew = false;
    const stopListening = this.announcements.on('server-log', (message) => {
      if (message.id === serverId && message.anew) anew = true;
    });
    try {
      for (let first = true; !signal.aborted; first = false) {
        if (anew) position = position === undefined ? undefined : BEFORE_ALL;
        anew = false;
        changed ??= this.announcements.logChanged('server-log', serverId, LOOK_AGAIN_MS, signal);
        const page = await this.read(serverId, position === undefined ? { lines: from.lines } : { after: position });
        const truncated = first && page.truncated;
        if (page.items.length > 0 || truncated) yield { items: page.items, truncated };
        position = page.items.at(-1)?.position ?? position;
        if (page.items.length === PAGE) continue;
        await changed;
        changed = null;
      }
    } finally {
      stopListening();
    }
  }
}

function parse([position, fields]: [string, string[]]): ServerLogLine {
  const [stream, line, at] = stored.parse(JSON.parse(fields[1] ?? 'null'));
  return { position, stream, line, at };
}

/** Whether position `a` comes before `b`. */
export function isBefore(a: string, b: string): boolean {
  const [a0 = 0, a1 = 0] = a.split('-').map(Number);
  const [b0 = 0, b1 = 0] = b.split('-').map(Number);
  return a0 !== b0 ? a0 < b0 : a1 < b1;
}
