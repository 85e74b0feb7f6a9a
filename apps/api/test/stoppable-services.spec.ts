import { Redis } from 'ioredis';
import pg from 'pg';
import { expect, it } from 'vitest';
import { redisConnection } from '../src/config/redis-connection.js';
import { stoppableServices } from './stoppable-services.js';

it('gives a test services to take away and give back', { timeout: 120_000 }, async () => {
  const services = await stoppableServices();
  try {
    await query(services.postgres.url, 'CREATE TABLE kept (id int)');
    await services.postgres.kill();
    await expect(query(services.postgres.url, 'SELECT 1')).rejects.toThrow(/ECONNREFUSED|ENOENT/);
    await services.postgres.start();
    await query(services.postgres.url, 'SELECT * FROM kept');
    await services.postgres.stop();
    await services.postgres.start();
    await query(services.postgres.url, 'SELECT * FROM kept');

    const redis = new Redis({ ...redisConnection(services.redis.url), retryStrategy: () => 50 });
    redis.on('error', () => undefined); // it goes away on purpose
    await redis.set('key', 'value');
    await services.redis.stop();
    await services.redis.start();
    expect(await redis.get('key')).toBe('value');
    await services.redis.flush();
    expect(await redis.get('key')).toBeNull();
    await services.redis.kill();
    await services.redis.start();
    expect(await redis.ping()).toBe('PONG');
    redis.disconnect();
  } finally {
    await services.remove();
  }
});

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
