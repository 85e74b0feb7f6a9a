import { accessSync, constants, statSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { KEPT_FILES, keptFileProblem } from '@left4me/host';
import { z } from 'zod';
import { redisConnection } from './redis-connection.js';

/** A setting that is missing or wrong; the message names it and says what to do. */
export class WrongSettings extends Error {
  override readonly name = 'WrongSettings';
}

/** What a process does: answer requests, run the jobs of its host, or both. */
export const roles = ['api', 'worker', 'all'] as const;
export type Role = (typeof roles)[number];

const flag = z.enum(['true', 'false', '1', '0'], 'must be true or false').transform((v) => v === 'true' || v === '1');
const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`);
const url = (...protocols: string[]) =>
  z.string().refine((v) => protocols.some((p) => v.startsWith(p)), {
    error: `must be a URL starting with ${protocols.join(' or ')}`,
    abort: true,
  });

const absolutePath = z
  .string()
  .refine((value) => path.isAbsolute(value), { error: 'must be an absolute path', abort: true });

const program = absolutePath.superRefine((value, context) => {
  const problem = programProblem(value);
  if (problem !== null) context.addIssue({ code: 'custom', message: problem });
});

/** Null for a file that this user may execute. */
function programProblem(file: string): string | null {
  try {
    if (!statSync(file).isFile()) return `${file} is not a file`;
    accessSync(file, constants.X_OK);
    return null;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return `${file} does not exist`;
    if (error.code === 'EACCES') return `${file} is not executable by this user`;
    return `${file} cannot be read: ${error.message}`;
  }
}

const databaseUrl = url('postgres://', 'postgresql://').refine(
  (value) => URL.canParse(value),
  'must look like postgres://user:password@host:5432/database',
);

const redisUrl = url('redis://', 'rediss://', 'unix:').superRefine((value, context) => {
  try {
    redisConnection(value);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});

/** An address, or a name that is none gone wrong: 999.1.1.1. Whether it is one of this machine's shows when it is tried. */
const bind = z
  .string()
  .refine(
    (value) => isIP(value) !== 0 || /^(?!-)([a-z0-9_-]{1,63}\.)*[a-z0-9-]*[a-z-][a-z0-9-]*$/i.test(value),
    'must be an IP address or a host name of this machine',
  );

const proxies = z
  .string()
  .default('')
  .transform((value) =>
    value
      .split(',')
      .map((proxy) => proxy.trim())
      .filter(Boolean),
  )
  .refine((given) => given.every(isNetwork), 'must be IP addresses or networks like 10.0.0.0/8, separated by commas');

/** An address, a network, or one of the names Express knows (https://expressjs.com/en/guide/behind-proxies.html). */
function isNetwork(value: string): boolean {
  if (['loopback', 'linklocal', 'uniquelocal'].includes(value)) return true;
  const [, address = '', bits] = /^([0-9a-f.:]+)(?:\/(\d{1,3}))?$/i.exec(value) ?? [];
  const version = isIP(address);
  if (version === 0) return false;
  return bits === undefined || (Number(bits) > 0 && Number(bits) <= (version === 4 ? 32 : 128));
}

const keptFiles = z
  .string()
  .default(KEPT_FILES.join(','))
  .transform((value) =>
    value
      .split(',')
      .map((pattern) => pattern.trim())
      .filter(Boolean),
  )
  .superRefine((patterns, context) => {
    for (const pattern of patterns) {
      const problem = keptFileProblem(pattern);
      if (problem !== null) context.addIssue({ code: 'custom', message: `${pattern}: ${problem}` });
    }
  });

const environment = z.object({
  DATABASE_URL: databaseUrl.optional(),
  REDIS_URL: redisUrl.optional(),
  SECRET_KEY: z.string().min(32, 'must have at least 32 characters').optional(),
  LEFT4ME_ROOT: absolutePath.optional(),
  LEFT4ME_PORT: whole(1, 65_535).optional(),
  LEFT4ME_BIND: bind.default('127.0.0.1'),
  LEFT4ME_PUBLIC_URL: url('http://', 'https://')
    .refine((v) => URL.canParse(v), 'must be a URL')
    .optional(),
  LEFT4ME_TRUSTED_PROXIES: proxies,
  LEFT4ME_ADMIN_PASSWORD: z
    .string()
    .min(8, 'must have at least 8 characters')
    .max(256, 'must have at most 256 characters')
    .optional(),
  LEFT4ME_HOST: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and dashes, 32 at most')
    .default('local'),
  LEFT4ME_SERVICE_MANAGER: z.enum(['systemd', 'process'], 'must be systemd or process').default('process'),
  LEFT4ME_STEAMCMD: program.optional(),
  LEFT4ME_KEPT_FILES: keptFiles,
  JOB_WORKER_ENABLED: flag.optional(),
  JOB_WORKER_CONCURRENCY: whole(1, 1000).default(16),
  STATE_POLLER_INTERVAL_SECONDS: whole(1, 3600).default(30),
  JOB_LOG_REPLAY_LIMIT: whole(1, 100_000).default(2000),
  LEFT4ME_KEPT_REVISIONS: whole(1, 1000).default(5),
  LEFT4ME_TRASH_DAYS: whole(1, 3650).default(30),
  LEFT4ME_WORKSHOP_URL: url('http://', 'https://')
    .refine((v) => URL.canParse(v), 'must be a URL')
    .default('https://api.steampowered.com'),
  LEFT4ME_WORKSHOP_DOWNLOADS: whole(1, 32).default(4),
});

/** Everything the environment can set, parsed. Services not given are null: the embedded ones are used. */
export interface Settings {
  databaseUrl: string | null;
  redisUrl: string | null;
  /** Prefix of every key in Redis; tests choose their own so that they can share one Redis. */
  redisPrefix: string;
  secretKey: string | null;
  /** Folder of all state (absolute). */
  root: string;
  /** TCP port of the API and the console; null: 8080, or the next free one. */
  port: number | null;
  bind: string;
  publicUrl: string | null;
  trustedProxies: string[];
  adminPassword: string | null;
  /** The name of the host whose jobs this process's worker runs. */
  host: string;
  serviceManager: 'systemd' | 'process';
  steamcmd: string | null;
  /** Patterns of files that servers keep although their layers change. */
  keptFiles: string[];
  /** Whether this process answers requests. */
  apiEnabled: boolean;
  /** Whether this process runs its host's jobs and watches its servers. */
  workerEnabled: boolean;
  /** Jobs the server lane runs at once. */
  workerConcurrency: number;
  pollerIntervalSeconds: number;
  /** Lines per page when a job's log is read without a limit. */
  jobLogReplayLimit: number;
  /** Revisions of an overlay that stay although nothing uses them, the newest. */
  keptRevisions: number;
  /** How long what a deleted server wrote is kept. */
  trashDays: number;
  /** Steam's Web API, or a mirror of it. */
  workshopUrl: string;
  /** How many items of the Workshop are downloaded at once. */
  workshopDownloads: number;
}

/**
 * Reads the settings from the environment, once at start. Empty variables count as not given.
 * @param asked the role from the command line; null: JOB_WORKER_ENABLED decides between `all` and `api`
 * @throws WrongSettings naming every variable that is wrong
 */
export function readSettings(env: NodeJS.ProcessEnv, defaults: { root: string }, asked: Role | null = null): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = environment.safeParse(given);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new WrongSettings(`These settings are wrong:\n  ${lines.join('\n  ')}`);
  }
  const e = parsed.data;
  const role = roleOf(asked, e.JOB_WORKER_ENABLED);
  if (role !== 'all') refuseAlone(role, asked ? '--role' : 'JOB_WORKER_ENABLED=false', e);
  return {
    databaseUrl: e.DATABASE_URL ?? null,
    redisUrl: e.REDIS_URL ?? null,
    redisPrefix: 'left4me',
    secretKey: e.SECRET_KEY ?? null,
    root: e.LEFT4ME_ROOT ?? defaults.root,
    port: e.LEFT4ME_PORT ?? null,
    bind: e.LEFT4ME_BIND,
    publicUrl: e.LEFT4ME_PUBLIC_URL ?? null,
    trustedProxies: e.LEFT4ME_TRUSTED_PROXIES,
    adminPassword: e.LEFT4ME_ADMIN_PASSWORD ?? null,
    host: e.LEFT4ME_HOST,
    serviceManager: e.LEFT4ME_SERVICE_MANAGER,
    steamcmd: e.LEFT4ME_STEAMCMD ?? null,
    keptFiles: e.LEFT4ME_KEPT_FILES,
    apiEnabled: role !== 'worker',
    workerEnabled: role !== 'api',
    workerConcurrency: e.JOB_WORKER_CONCURRENCY,
    pollerIntervalSeconds: e.STATE_POLLER_INTERVAL_SECONDS,
    jobLogReplayLimit: e.JOB_LOG_REPLAY_LIMIT,
    keptRevisions: e.LEFT4ME_KEPT_REVISIONS,
    trashDays: e.LEFT4ME_TRASH_DAYS,
    workshopUrl: e.LEFT4ME_WORKSHOP_URL,
    workshopDownloads: e.LEFT4ME_WORKSHOP_DOWNLOADS,
  };
}

function roleOf(asked: Role | null, workerEnabled: boolean | undefined): Role {
  const role = asked ?? (workerEnabled === false ? 'api' : 'all');
  if (workerEnabled === undefined || workerEnabled === (role !== 'api')) return role;
  throw new WrongSettings(
    `JOB_WORKER_ENABLED: ${workerEnabled} contradicts --role ${role}; leave it empty, the role says it all.`,
  );
}

/**
 * Nobody else could join the embedded services of an API or a worker alone.
 * @param because what on the command line or in the environment gave the process its role
 */
function refuseAlone(
  role: Role,
  because: string,
  given: { DATABASE_URL?: string | undefined; REDIS_URL?: string | undefined },
): void {
  const missing = (['DATABASE_URL', 'REDIS_URL'] as const).filter((name) => given[name] === undefined);
  if (missing.length === 0) return;
  throw new WrongSettings(
    `${missing.join(' and ')} missing: a process with --role ${role} needs the PostgreSQL and the Redis of the panel's ` +
      `other processes. Give ${missing.length === 1 ? 'it' : 'both'}, or leave ${because} away: one process does everything then.`,
  );
}

/** The settings of a running panel: services and key are known by now. Also the injection token. */
export abstract class RunningSettings implements Settings {
  abstract databaseUrl: string;
  abstract redisUrl: string;
  abstract redisPrefix: string;
  abstract secretKey: string;
  abstract root: string;
  abstract port: number;
  abstract bind: string;
  abstract publicUrl: string | null;
  abstract trustedProxies: string[];
  abstract adminPassword: string | null;
  abstract host: string;
  abstract serviceManager: 'systemd' | 'process';
  abstract steamcmd: string | null;
  abstract keptFiles: string[];
  abstract apiEnabled: boolean;
  abstract workerEnabled: boolean;
  abstract workerConcurrency: number;
  abstract pollerIntervalSeconds: number;
  abstract jobLogReplayLimit: number;
  abstract keptRevisions: number;
  abstract trashDays: number;
  abstract workshopUrl: string;
  abstract workshopDownloads: number;
}
