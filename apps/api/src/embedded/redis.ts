import { chmod, mkdir, rename, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { EmbeddedError } from './embedded-error.js';
import type { ServicePlaces } from './service-places.js';
import { Service, endLeftover } from './service.js';
import { systemProgram } from './system-program.js';

export interface RedisOptions extends ServicePlaces {
  /** Where Redis is unpacked to when the machine has none. */
  cacheFolder: string;
  report: (line: string) => void;
}

export interface Redis {
  url: string;
  service: Service;
}

const REMEDY =
  'Redis is missing: install it (Debian, Ubuntu: apt install redis-server; Fedora: dnf install valkey; Arch: pacman -S valkey) or set REDIS_URL';

/** Starts a private Redis on a Unix socket: append-only, never evicting (BullMQ needs that). */
export async function startRedis(options: RedisOptions): Promise<Redis> {
  const { dataFolder, socketFolder } = options;
  const program = await redisProgram(options);
  await endLeftover(options.recordFile, 'SIGTERM');
  await makePrivate(dataFolder);
  const socket = join(socketFolder, 'redis.sock');
  await rm(socket, { force: true });

  const settings = ['--port', '0', '--unixsocket', socket, '--unixsocketperm', '700', '--dir', dataFolder];
  const durable = [
    '--appendonly',
    'yes',
    '--appendfsync',
    'everysec',
    '--save',
    '',
    '--maxmemory-policy',
    'noeviction',
  ];
  const running = ['--daemonize', 'no', '--logfile', '', '--loglevel', 'notice'];
  const argv: [string, ...string[]] = [program, ...settings, ...durable, ...running];
  const start = async (): Promise<Service> => {
    const { logFile, recordFile } = options;
    const service = await Service.start({
      name: 'Redis',
      prefix: [],
      argv,
      logFile,
      recordFile,
      stopSignal: 'SIGTERM',
    });
    try {
      await service.ready(() => answers(socket), 120_000);
      return service;
    } catch (error) {
      await service.stop();
      throw error;
    }
  };
  const url = `unix:${socket}`;
  try {
    return { url, service: await start() };
  } catch (error) {
    // Jobs live in PostgreSQL and are put back into an empty Redis, so unreadable data (an older Redis after a newer one, a
    // broken disk) is set aside rather than left to keep the whole panel from starting.
    const aside = `${dataFolder}.unreadable`;
    await rm(aside, { recursive: true, force: true });
    await rename(dataFolder, aside);
    await makePrivate(dataFolder);
    try {
      const service = await start();
      options.report(`Redis could not read its data, so it started empty; the old data is in ${aside}.`);
      return { url, service };
    } catch {
      // Not the data's fault, then.
      await rm(dataFolder, { recursive: true, force: true });
      await rename(aside, dataFolder);
      throw error;
    }
  }
}

async function redisProgram(options: RedisOptions): Promise<string> {
  try {
    return await systemProgram({
      names: ['redis-server', 'valkey-server'],
      packages: ['redis-server'],
      cacheFolder: options.cacheFolder,
      report: options.report,
    });
  } catch (cause) {
    const reason = cause instanceof Error ? ` (${cause.message})` : '';
    throw new EmbeddedError(`${REMEDY}${reason}.`, { cause });
  }
}

async function makePrivate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
}

/** Whether Redis says PONG; while it loads its data it says -LOADING. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const done = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2_000, () => done(false));
    socket.once('error', () => done(false));
    socket.once('close', () => done(false));
    socket.once('data', (data) => done(data.toString().startsWith('+PONG')));
    socket.write('PING\r\n');
  });
}
