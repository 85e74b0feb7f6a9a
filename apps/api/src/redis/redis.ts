import { timeLimit } from '@left4me/host';
import { once } from 'node:events';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { type Callback, Redis, type RedisOptions, type RedisValue } from 'ioredis';
import { redisAddress, redisConnection } from '../config/redis-connection.js';
import { RunningSettings } from '../config/settings.js';

/**
 * ioredis never ends a connection that is told to disconnect between two attempts to connect, and BullMQ waits for that end: a worker
 * closed while Redis was away never closed.
 */
class Connection extends Redis {
  override disconnect(reconnect = false): void {
    // An attempt that is given up at once, before it leaves the process, ends as it should.
    if (!reconnect && this.status === 'reconnecting') this.connect().catch(() => undefined);
    super.disconnect(reconnect);
  }

  /** BullMQ asks this of each of its connections and warns, each time, of a policy that evicts; `warnOfEviction` says it once. */
  override info(...[asked]: (Callback<string> | RedisValue | undefined)[]): Promise<string> {
    if (typeof asked === 'function') return super.info(asked);
    return super.info().then((text) => text.replace(/^maxmemory_policy:.*$/m, 'maxmemory_policy:noeviction'));
  }

  override duplicate(override: Partial<RedisOptions> = {}): Connection {
    return new Connection({ ...this.options, ...override });
  }
}

/** How long a start waits for Redis. */
const FIRST_MS = 3000;
/** Commands fail while Redis is away, and when it hangs: everything goes on without its answer. */
const ANSWERS_SOON = { enableOfflineQueue: false, commandTimeout: 3000 } as const;

/**
 * Connections to Redis. Nothing in Redis is the truth: everything there can vanish at any moment, so commands fail at once while
 * it is away instead of waiting for it.
 */
@Injectable()
export class RedisConnections implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly open: Redis[] = [];
  /** For commands: fails fast while Redis is away. */
  readonly commands: Redis;
  /** For BullMQ queues, which add their own key prefix. */
  readonly queues: Redis;
  readonly prefix: string;
  private away = false;
  /** Whether Redis has ever been there. */
  private found = false;

  constructor(private readonly settings: RunningSettings) {
    this.prefix = settings.redisPrefix;
    this.commands = this.connect({ ...ANSWERS_SOON, maxRetriesPerRequest: 0 });
    this.queues = this.connect({ ...ANSWERS_SOON, maxRetriesPerRequest: null });
    this.commands.once('ready', () => void this.warnOfEviction());
  }

  /** A healthy start finds Redis there; without it the panel starts all the same, and an error of the connections has said so. */
  async onModuleInit(): Promise<void> {
    const signal = timeLimit(FIRST_MS);
    const first = async (redis: Redis) => redis.status === 'ready' || once(redis, 'ready', { signal });
    await Promise.allSettled([this.commands, this.queues].map(first));
  }

  /** A connection of one's own, closed with the application. For subscribers and BullMQ workers, which block. */
  connect(options: RedisOptions = {}): Redis {
    const redis = new Connection({
      ...redisConnection(this.settings.redisUrl),
      retryStrategy: (attempt) => Math.min(attempt * 100, 1000),
      ...options,
    });
    redis.on('error', (error: Error) => {
      if (!this.away) {
        const where = this.found ? '' : ` (REDIS_URL: ${redisAddress(this.settings.redisUrl)})`;
        const reason = error.message.replace(/\.$/, '');
        this.logger.warn(`Redis is away${where}: ${reason}. Jobs are kept in PostgreSQL and go on when it is back.`);
      }
      this.away = true;
    });
    redis.on('ready', () => {
      if (this.away) this.logger.log('Redis is back.');
      this.away = false;
      this.found = true;
    });
    this.open.push(redis);
    return redis;
  }

  /** A Redis that is full must refuse what is new: one that throws something away loses BullMQ's place in the line. */
  private async warnOfEviction(): Promise<void> {
    try {
      const [, policy] = /^maxmemory_policy:(\S+)/m.exec(String(await this.commands.call('INFO', 'memory'))) ?? [];
      if (policy === undefined || policy === 'noeviction') return;
      this.logger.warn(
        `REDIS_URL: its maxmemory-policy is ${policy}, so a full Redis throws away parts of the queue, which then waits until they are ` +
          `restored. In its configuration set maxmemory-policy noeviction (redis-cli config set maxmemory-policy noeviction).`,
      );
    } catch (error) {
      this.logger.debug(`its maxmemory-policy is not known: ${String(error)}`);
    }
  }

  onApplicationShutdown(): void {
    for (const redis of this.open) redis.disconnect();
  }
}
