import { bad, type Finding, good, warning } from '@left4me/host';
import { Redis } from 'ioredis';
import pg from 'pg';
import { redisConnection } from '../config/redis-connection.js';
import type { Settings } from '../config/settings.js';
import { migrations } from '../database/migrations/index.js';
import { checkValueOf } from '../panel/secret-key-check.js';

const PATIENCE_MS = 5000;
/** The oldest that this was tried with. */
const POSTGRES = 150_000;
const REDIS = 7;
/** As the panel itself judges a worker's silence. */
const SILENT_SECONDS = 15;

/** PostgreSQL: whether it answers, its version, whether the schema is this program's, and which workers live. */
export async function examineDatabase(url: string, secretKey: string | null): Promise<Finding[]> {
  const about = 'PostgreSQL';
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: PATIENCE_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    return [bad(about, `it does not answer: ${reasonOf(error)}`, 'start it, or correct DATABASE_URL')];
  }
  try {
    const { rows } = await client.query<{ number: number; name: string }>(
      `SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS name`,
    );
    const { number = 0, name = '?' } = rows[0] ?? {};
    const version =
      number >= POSTGRES
        ? good(about, `${name} answers`)
        : warning(about, `${name} is older than what left4me is tested with`, 'use PostgreSQL 15 or newer');
    return [version, ...(await examineSchema(client, secretKey))];
  } finally {
    await client.end();
  }
}

async function examineSchema(client: pg.Client, secretKey: string | null): Promise<Finding[]> {
  const about = 'database';
  const { rows: found } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('migrations') IS NOT NULL AS there`,
  );
  if (!found[0]?.there) return [warning(about, 'it is empty', 'start the panel once: it makes its tables')];
  const { rows } = await client.query<{ name: string }>('SELECT name FROM migrations');
  const done = new Set(rows.map(({ name }) => name));
  const known = migrations.map(({ name }) => name);
  const missing = known.filter((name) => !done.has(name));
  const newer = rows.length - (known.length - missing.length);
  if (newer > 0) {
    return [bad(about, 'a newer left4me has been at work here', 'upgrade this one, or restore a backup from before')];
  }
  if (missing.length > 0) {
    return [
      warning(about, `${missing.length} migrations are missing`, 'start the panel: it brings the schema up to date'),
    ];
  }
  const tables = good(about, 'its tables are those of this left4me');
  return [tables, ...(await examineKey(client, secretKey)), ...(await examineWorkers(client))];
}

async function examineKey(client: pg.Client, secretKey: string | null): Promise<Finding[]> {
  const { rows } = await client.query<{ value: Buffer }>('SELECT value FROM secret_key_check');
  const [kept] = rows;
  if (kept === undefined) return []; // no panel has run here yet
  const about = 'SECRET_KEY';
  const mend = 'set it to that of the first machine, or to the text of secret-key in its LEFT4ME_ROOT';
  if (secretKey === null) return [bad(about, 'it is not set, and LEFT4ME_ROOT has no secret-key', mend)];
  if (kept.value.equals(checkValueOf(secretKey))) return [good(about, 'it is that of the database')];
  return [bad(about, 'it is not the one that the secrets in the database are encrypted with', mend)];
}

async function examineWorkers(client: pg.Client): Promise<Finding[]> {
  const { rows } = await client.query<{ name: string; seconds: number | null; stopped: boolean; installed: boolean }>(
    `SELECT name, extract(epoch FROM clock_timestamp() - worker_seen_at)::int AS seconds, worker_stopped AS stopped,
       service_manager IS NOT DISTINCT FROM 'systemd' AS installed
     FROM hosts WHERE removed_at IS NULL ORDER BY id`,
  );
  return rows.map(({ name, seconds, stopped, installed }) => {
    const about = `worker of ${name}`;
    const mend = installed
      ? `on ${name}: journalctl -u left4me-worker -n 20 says why, systemctl start left4me-worker starts it`
      : `start it: systemctl start left4me-worker on ${name}, or npm start`;
    if (seconds === null) return warning(about, 'it has never been there', mend);
    if (stopped) return (installed ? bad : warning)(about, `it was stopped ${seconds} s ago: jobs wait`, mend);
    if (seconds > SILENT_SECONDS) return bad(about, `it has been silent for ${seconds} s: jobs wait`, mend);
    return good(about, `it was heard ${seconds} s ago`);
  });
}

/** Redis: whether it answers, and whether it keeps what it is given. Nothing in it is the truth, so little is bad. */
export async function examineRedis(url: string): Promise<Finding[]> {
  const about = 'Redis';
  const redis = new Redis({
    ...redisConnection(url),
    lazyConnect: true,
    connectTimeout: PATIENCE_MS,
    commandTimeout: PATIENCE_MS,
    retryStrategy: () => null,
  });
  let reason = '';
  redis.on('error', (error: Error) => (reason = error.message));
  try {
    await redis.connect();
    const info = await redis.info();
    const version = /^redis_version:(\S+)/m.exec(info)?.[1] ?? '?';
    const findings = [
      Number.parseInt(version, 10) >= REDIS
        ? good(about, `${version} answers`)
        : warning(about, `${version} is older than what left4me is tested with`, `use Redis ${REDIS} or newer`),
    ];
    const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
    if (policy !== 'noeviction') {
      const found = `maxmemory-policy is ${policy}: it may drop what the queue needs`;
      findings.push(warning(about, found, 'set maxmemory-policy noeviction'));
    }
    if (!/^aof_enabled:1/m.test(info)) {
      const found =
        'appendonly is off: after a power cut the queue and the servers’ logs are filled again, which takes a moment';
      findings.push(warning(about, found, 'set appendonly yes'));
    }
    return findings;
  } catch (error) {
    return [bad(about, `it does not answer: ${reason || reasonOf(error)}`, 'start it, or correct REDIS_URL')];
  } finally {
    redis.disconnect();
  }
}

/** Addresses: what a proxy in front of the panel needs. */
export function examineAddresses({ publicUrl, trustedProxies, bind }: Settings): Finding[] {
  const about = 'address';
  if (publicUrl === null) {
    if (bind === '127.0.0.1' || bind === '::1') return [good(about, 'the panel is reached from this machine alone')];
    const found = `the panel listens on ${bind} without TLS: passwords can be read on the way`;
    return [warning(about, found, 'put a proxy with TLS in front (deploy/proxy/Caddyfile) and set LEFT4ME_PUBLIC_URL')];
  }
  if (trustedProxies.length === 0) {
    const found = `${publicUrl}, but no proxy is trusted: every visitor looks like the proxy`;
    return [warning(about, found, 'set LEFT4ME_TRUSTED_PROXIES to the address of the proxy')];
  }
  return [good(about, publicUrl)];
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
