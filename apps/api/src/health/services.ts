import { Injectable, Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { RedisConnections } from '../redis/redis.js';
import type { Readiness, ServiceState } from './health.dto.js';

const PATIENCE_MS = 2000;

/** Whether the services that the panel needs answer. */
@Injectable()
export class Services {
  private readonly logger = new Logger('Health');
  /** Services whose silence is in the log: consoles ask every few seconds. */
  private readonly silent = new Set<string>();

  constructor(
    private readonly database: DataSource,
    private readonly redis: RedisConnections,
  ) {}

  async check(): Promise<Readiness> {
    const [postgres, redis] = await Promise.all([
      this.answers('PostgreSQL', () => this.database.query('SELECT 1')),
      this.answers('Redis', () => this.redis.commands.ping()),
    ]);
    return { status: postgres.status === 'ok' && redis.status === 'ok' ? 'ok' : 'down', postgres, redis };
  }

  /** Addresses and accounts stay in the log: anybody may ask. */
  private async answers(name: string, question: () => Promise<unknown>): Promise<ServiceState> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
      });
      await Promise.race([question(), late]);
      this.silent.delete(name);
      return { status: 'ok' };
    } catch (error) {
      if (!this.silent.has(name))
        this.logger.warn(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      this.silent.add(name);
      return { status: 'down', detail: `${name} does not answer.` };
    } finally {
      clearTimeout(timer);
    }
  }
}
