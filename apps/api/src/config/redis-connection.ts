import type { RedisOptions } from 'ioredis';

/**
 * Reads `redis://`, `rediss://` (with user, password and database number) or `unix:<path>` into ioredis options.
 * @throws TypeError with a sentence about what is wrong
 */
export function redisConnection(url: string): RedisOptions {
  if (url.startsWith('unix:')) {
    const path = url.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (!path.startsWith('/')) throw new TypeError('a unix: URL needs an absolute path');
    return { path };
  }
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw new TypeError('must look like redis://host:6379, rediss://host:6379 or unix:/path/to/socket');
  }
  if (parsed.protocol !== 'redis:' && parsed.protocol !== 'rediss:') {
    throw new TypeError(`must begin with redis:, rediss: or unix:, not ${parsed.protocol}`);
  }
  const database = parsed.pathname.replace(/^\//, '');
  if (!/^\d*$/.test(database)) throw new TypeError('the path must be a database number');
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost',
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    ...(parsed.username === '' ? {} : { username: decoded(parsed.username) }),
    ...(parsed.password === '' ? {} : { password: decoded(parsed.password) }),
    ...(database === '' ? {} : { db: Number(database) }),
    ...(parsed.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

/** Where a URL that redisConnection reads leads, without its account: `10.0.0.5:6379`, or a socket's path. */
export function redisAddress(url: string): string {
  const { path, host, port } = redisConnection(url);
  return path ?? (host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new TypeError('a % in the user or password must be written %25', { cause });
  }
}
