import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { redisConnection } from '../config/redis-connection.js';
import { RunningSettings } from '../config/settings.js';

/**
 * Connections to Redis. Nothing in Redis is the truth: everything there can vanish at any moment, so commands fail at once while
 * it is away instead of waiting for it.
 */
@Injectable()
export class RedisConnections implements OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly open: Redis[] = [];
  /** For commands: fails fast while Redis is away. */
  readonly commands: Redis;
  /** For BullMQ queues, which add their own key prefix. */
  readonly queues: Redis;
  readonly prefix: string;
  private away = false;

  constructor(private readonly settings: RunningSettings) {
    this.prefix = settings.redisPrefix;
    this.commands = this.connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0 });
    this.queues = this.connect({ enableOfflineQueue: false, maxRetriesPerRequest: null });
  }

  /** A connection of one's own, closed with the application. For subscribers and BullMQ workers, which block. */
  connect(options: RedisOptions = {}): Redis {
    const redis = new Redis({
      ...redisConnection(this.settings.redisUrl),
      retryStrategy: (attempt) => Math.min(attempt * 100, 1000),
      ...options,
    });
    redis.on('error', (error: Error) => {
      if (!this.away)
        this.logger.warn(`Redis is away: ${error.message}. Jobs are kept in PostgreSQL and go on when it is back.`);
      this.away = true;
    });
    redis.on('ready', () => {
      if (this.away) this.logger.log('Redis is back.');
      this.away = false;
    });
    this.open.push(redis);
    return redis;
  }

  onApplicationShutdown(): void {
    for (const redis of this.open) redis.disconnect();
  }
}
