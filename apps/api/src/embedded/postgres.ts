import { execFile } from 'node:child_process';
import { chown, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { EmbeddedError } from './embedded-error.js';
import type { OrdinaryUser } from './ordinary-user.js';
import { type PostgresBinaries, postgresBinaries } from './postgres-binaries.js';
import { endProcess, identify } from './process-identity.js';
import type { ServicePlaces } from './service-places.js';
import { Service, endLeftover } from './service.js';

const run = promisify(execFile);

/** The account and database that left4me uses in its own PostgreSQL. */
const NAME = 'left4me';

/** Modest: the box is there for game servers. Durability stays on (fsync is PostgreSQL's default). */
const SETTINGS = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '60',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  min_wal_size: '80MB',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
};

export interface PostgresOptions extends ServicePlaces {
  report: (line: string) => void;
  user: OrdinaryUser;
  /** Settings beside ours; tests switch durability off. */
  settings?: Readonly<Record<string, string>>;
}

export interface Postgres {
  url: string;
  service: Service;
}

/** Starts PostgreSQL on a Unix socket, making its data folder the first time. */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const { dataFolder, socketFolder, user } = options;
  const binaries = await postgresBinaries();
  await endLeftover(options.recordFile, 'SIGINT');
  await makeDataFolder(binaries, options);
  await clearStalePidFile(dataFolder);

  const settings = { ...SETTINGS, unix_socket_directories: socketFolder, ...options.settings };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const service = await Service.start({
    name: 'PostgreSQL',
    prefix: user.prefix,
    argv: [binaries.postgres, '-D', dataFolder, ...flags],
    env: cleanEnvironment(),
    logFile: options.logFile,
    recordFile: options.recordFile,
    stopSignal: 'SIGINT', // "fast": ends connections, writes everything, leaves nothing to recover
  });
  try {
    await service.ready(() => answers(socketFolder), 300_000);
    await ensureDatabase(socketFolder);
  } catch (error) {
    await service.stop();
    throw error;
  }
  return { url: postgresUrl(socketFolder, NAME), service };
}

/** A URL that node-postgres and TypeORM both understand; the host part is ignored in favour of the socket's folder. */
export function postgresUrl(socketFolder: string, database: string): string {
  return `postgresql://${NAME}@localhost/${database}?host=${encodeURIComponent(socketFolder)}`;
}

async function makeDataFolder(binaries: PostgresBinaries, options: PostgresOptions): Promise<void> {
  const { dataFolder, user, report } = options;
  const found = await readFile(join(dataFolder, 'PG_VERSION'), 'utf8').catch(() => null);
  if (found !== null) {
    await checkVersion(binaries, found.trim(), dataFolder);
    return;
  }
  report('Making the database (first start).');
  // Made aside and renamed, so that a data folder is complete or absent, whenever we are interrupted.
  const unfinished = `${dataFolder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  if (user.owner) await chown(unfinished, user.owner.uid, user.owner.gid);
  // Trust: the only way in is a socket in a folder of mode 0700, and whoever may enter that may read the data files anyway.
  // The builtin locale sorts by code point and does not depend on the C library, so an index survives a system upgrade.
  const flags = ['-U', NAME, '--auth=trust', '--encoding=UTF8', '--no-instructions'];
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'];
  if (options.settings?.fsync === 'off') flags.push('--no-sync');
  const initdb = [binaries.initdb, '-D', unfinished, ...flags, ...locale];
  const [program = 'setpriv', ...args] = [...user.prefix, 'setpriv', '--pdeathsig', 'KILL', '--', ...initdb];
  try {
    await run(program, args, { env: cleanEnvironment(), cwd: '/' });
  } catch (cause) {
    throw new EmbeddedError(explain(cause, user, unfinished), { cause });
  }
  await rename(unfinished, dataFolder);
  const parent = await open(dirname(dataFolder));
  try {
    await parent.sync(); // the rename itself is not on the disk before this
  } finally {
    await parent.close();
  }
}

function explain(cause: unknown, user: OrdinaryUser, folder: string): string {
  const words = cause instanceof Error && 'stderr' in cause ? String(cause.stderr).trim() : String(cause);
  if (user.how === 'user' && /permission denied|could not (access|open|change)/i.test(words)) {
    const remedy =
      'start left4me as an ordinary user, or put it and LEFT4ME_ROOT where other users may enter (not below /root)';
    return `PostgreSQL does not run as root, and its user may not enter ${folder}: ${remedy}.`;
  }
  return `The database could not be made in ${folder}: ${words}`;
}

async function checkVersion(binaries: PostgresBinaries, found: string, folder: string): Promise<void> {
  const { stdout } = await run(binaries.postgres, ['--version'], { cwd: '/' });
  const ours = /(\d+)(?:\.\d+|beta|rc)/.exec(stdout)?.[1];
  if (ours === undefined || ours === found) return;
  throw new EmbeddedError(
    `${folder} was made by PostgreSQL ${found}, this left4me brings ${ours}: dump it with the older one and restore it here.`,
  );
}

/**
 * PostgreSQL takes a living process with the id in its pid file for itself. After a power cut, and in containers nearly
 * always, that id belongs to somebody else by now. Only called while we hold the state folder.
 */
async function clearStalePidFile(dataFolder: string): Promise<void> {
  const file = join(dataFolder, 'postmaster.pid');
  const pid = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
  if (!Number.isSafeInteger(pid) || pid <= 0) return;
  const identity = await identify(pid);
  if (!identity) return; // PostgreSQL removes it itself, after checking for orphaned children
  const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
  if (basename(command[0] ?? '') === 'postgres' && command.includes(dataFolder)) {
    await endProcess(identity, [{ signal: 'SIGINT', milliseconds: 60_000 }]);
    return;
  }
  await rm(file, { force: true });
}

async function answers(socketFolder: string): Promise<boolean> {
  if (!(await stat(join(socketFolder, '.s.PGSQL.5432')).catch(() => null))) return false;
  try {
    await withClient(socketFolder, async () => undefined);
    return true;
  } catch {
    return false; // still starting, or recovering; if it gives up its log says why
  }
}

async function ensureDatabase(socketFolder: string): Promise<void> {
  await withClient(socketFolder, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [NAME]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${NAME}`);
  });
}

async function withClient(socketFolder: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl(socketFolder, 'postgres') });
  client.on('error', () => undefined); // a server going down while we ask: the query fails too
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

/** The caller's PGDATA, PGPORT, LC_ALL … are about other servers. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
