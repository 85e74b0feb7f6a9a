import { Redis } from 'ioredis';
import { redisAddress, redisConnection } from '../config/redis-connection.js';
import { WrongSettings } from '../config/settings.js';

const PATIENCE_MS = 3000;
/** What Redis says to an account that does not exist, or may not do what the panel does. */
const REFUSED = /^(WRONGPASS|NOAUTH|NOPERM)\b|^ERR (invalid password|DB index is out of range|invalid DB index)/;

/**
 * Whether a Redis that somebody else runs takes the account of REDIS_URL. One that cannot be reached may come later.
 * @param prefix of the keys that the panel is going to use
 * @throws WrongSettings naming REDIS_URL when Redis answers and refuses
 */
export async function checkGivenRedis(url: string, prefix: string): Promise<void> {
  const redis = new Redis({
    ...redisConnection(url),
    lazyConnect: true,
    // INFO at the start of a connection: what is wrong with it is found below.
    enableReadyCheck: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
  });
  const errors: unknown[] = [];
  redis.on('error', (error: unknown) => errors.push(error));
  try {
    await redis.connect();
    // The kinds of commands that the panel lives on.
    await redis.info('memory');
    await redis.set(`${prefix}:start`, '1', 'PX', 1000);
    await redis.eval('return 1', 0);
    await redis.publish(`${prefix}:start`, '1');
  } catch (error) {
    errors.push(error);
  } finally {
    redis.disconnect();
  }
  const refused = errors.find((error) => error instanceof Error && REFUSED.test(error.message));
  if (!(refused instanceof Error)) return;
  throw new WrongSettings(`REDIS_URL: Redis at ${redisAddress(url)} refuses it: ${refused.message}`, {
    cause: refused,
  });
}
