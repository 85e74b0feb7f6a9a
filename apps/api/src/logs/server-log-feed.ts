import type { Host, InstanceStatus } from '@left4me/host';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { HostLibrary } from '../hosts/host-library.js';
import { maskedLine } from '../secrets/masked-line.js';
import { ServerMasks } from '../secrets/server-masks.js';
import { LineBatches } from './line-batches.js';
import { isBefore, OtherLog, ServerLogStream, STREAM_LINES, StreamGone } from './server-log-stream.js';

const REFRESH_MS = 10_000;
const RETRY_MS = 1000;
const CHECK_MS = 5000;

/** One server's log that is followed; `batches` while it is being read. */
interface Followed {
  abort: AbortController;
  done: Promise<void>;
  batches: LineBatches | null;
}

/**
 * The worker's side of the server logs: follows each instance's log on the host and appends it, without secrets, to the server's
 * stream. It goes on
 * where the stream ends; where the stream is gone (Redis was emptied), or was another host's, it is filled again from what this host
 * has.
 */
@Injectable()
export class ServerLogFeed {
  private readonly logger = new Logger('ServerLogs');
  private readonly abort = new AbortController();
  private readonly followed = new Map<number, Followed>();
  private readonly timers: NodeJS.Timeout[] = [];
  private hostId: number | null = null;

  constructor(
    private readonly database: DataSource,
    private readonly library: HostLibrary,
    private readonly stream: ServerLogStream,
    private readonly masks: ServerMasks,
  ) {}

  start(hostId: number): void {
    this.hostId = hostId;
    this.timers.push(
      setInterval(() => this.attempt('servers', this.update()), REFRESH_MS),
      setInterval(() => this.attempt('streams', this.check()), CHECK_MS),
    );
    this.attempt('servers', this.update());
  }

  /** A server was just seen on the host, or seen to be absent: its log is followed from now on, or no longer. */
  seen(serverId: number, { name, state }: Pick<InstanceStatus, 'name' | 'state'>): void {
    if (state === 'absent') this.followed.get(serverId)?.abort.abort();
    else if (!this.followed.has(serverId) && !this.abort.signal.aborted) this.begin(serverId, name);
  }

  /** What PostgreSQL or Redis cannot answer now is asked again soon. */
  private attempt(what: string, asked: Promise<void>): void {
    asked.catch((error: unknown) => this.logger.debug(`${what} not looked at: ${String(error)}`));
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.abort.abort();
    await Promise.all([...this.followed.values()].map(({ done }) => done));
  }

  /** Looks which servers there are now. */
  private async update(): Promise<void> {
    if (this.hostId === null) return;
    const rows = await this.database.query<{ id: number; name: string }[]>(
      `SELECT id, name FROM servers WHERE host_id = $1 AND actual_state <> 'absent'`,
      [this.hostId],
    );
    const wanted = new Map(rows.map((row) => [row.id, row.name]));
    for (const [id, { abort }] of this.followed) {
      if (!wanted.has(id)) abort.abort();
    }
    for (const [id, name] of wanted) {
      if (!this.followed.has(id) && !this.abort.signal.aborted) this.begin(id, name);
    }
  }

  /** A silent server writes nothing, and would not notice that Redis has lost what it wrote. */
  private async check(): Promise<void> {
    const written = [...this.followed].filter(([, { batches }]) => batches?.begun === true);
    if (await this.stream.allThere(written.map(([id]) => id))) return;
    await Promise.all(
      written.map(async ([id, { batches }]) => {
        if ((await this.stream.last(id)) === null) batches?.fail(new StreamGone());
      }),
    );
  }

  private begin(id: number, name: string): void {
    const abort = new AbortController();
    const followed: Followed = { abort, done: Promise.resolve(), batches: null };
    const signal = AbortSignal.any([abort.signal, this.abort.signal]);
    followed.done = this.feed(id, name, followed, signal).finally(() => {
      this.followed.delete(id);
      this.masks.forget(id);
    });
    this.followed.set(id, followed);
  }

  private async feed(serverId: number, name: string, followed: Followed, signal: AbortSignal): Promise<void> {
    for (let complained = false; !signal.aborted;) {
      try {
        await this.followOnce(await this.library.get(), serverId, name, followed, signal);
        complained = false;
      } catch (error) {
        if (!complained && !signal.aborted) {
          this.logger.warn(
            `The log of ${name} is taken up again: ${error instanceof Error ? error.message : String(error)}`,
          );
        }
        complained = true;
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Follows until the signal aborts; throws when Redis is away or has lost the stream, and the caller begins again. */
  private async followOnce(
    host: Host,
    serverId: number,
    name: string,
    followed: Followed,
    signal: AbortSignal,
  ): Promise<void> {
    const last = await this.stream.last(serverId);
    const batches = new LineBatches((lines, isFirst) => this.stream.append(serverId, lines, isFirst), last !== null);
    followed.batches = batches;
    const from = last === null ? { lines: STREAM_LINES } : { after: last };
    try {
      const lines = host.logs(name, { ...from, follow: true, signal: AbortSignal.any([signal, batches.failed]) });
      let isFirst = last !== null;
      for await (const line of lines) {
        if (isFirst && !isBefore(last ?? '', line.position)) {
          // The host knows nothing of that position, and has begun anew.
          await this.stream.clear(serverId);
          throw new OtherLog();
        }
        isFirst = false;
        const secrets = await this.masks.of(serverId);
        await batches.add({ ...line, line: maskedLine(line.line, secrets) });
      }
    } finally {
      followed.batches = null;
      await batches.close();
    }
  }
}
