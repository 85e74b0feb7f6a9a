import type { NestExpressApplication } from '@nestjs/platform-express';
import { DataSource } from 'typeorm';
import { createApp } from '../app.js';
import type { Settings } from '../config/settings.js';
import { openDatabase } from '../database/data-source.js';
import { HostPresence } from '../hosts/host-presence.js';
import { PanelLog } from '../panel-log.js';
import { checkAddress, named, portFor } from './address.js';
import { checkGivenRedis } from './check-redis.js';
import { firstAdmin } from './first-admin.js';
import { openGivenDatabase } from './open-database.js';
import { secretKeyFor } from './secret-key-check.js';
import { ServiceNotice } from './service-notice.js';
import { openServices, type PanelServices } from './services.js';
import { welcome, welcomeWorker } from './welcome.js';

/** Longer than a running job may take to be stopped. */
const CLOSE_MS = 25_000;
/** How long a start that is to end may take for what it is in the middle of. */
const ABANDON_MS = 5000;

class AskedToStop extends Error {}

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Runs the panel until SIGINT or SIGTERM. Game servers go on without it. @returns the exit code */
export async function serve(settings: Settings): Promise<number> {
  const asked = stopSignal();
  const abandon = () => endWithin(ABANDON_MS);
  asked.addEventListener('abort', abandon);
  try {
    if (settings.apiEnabled) await checkAddress(settings);
    asked.throwIfAborted();
    const services = await openServices(settings, say);
    try {
      asked.throwIfAborted();
      return await run(settings, services, asked, () => asked.removeEventListener('abort', abandon));
    } finally {
      await services.stop();
    }
  } catch (error) {
    if (!(error instanceof AskedToStop)) throw error;
    say('Stopped before it was running.');
    return 0;
  }
}

async function run(
  settings: Settings,
  services: PanelServices,
  asked: AbortSignal,
  started: () => void,
): Promise<number> {
  const port = settings.apiEnabled ? await portFor(settings) : null;
  const open = settings.databaseUrl === null ? openDatabase : openGivenDatabase;
  const database = await open(services.settings.databaseUrl);
  let secretKey: string;
  try {
    secretKey = await secretKeyFor(database, settings);
    if (settings.redisUrl !== null) await checkGivenRedis(settings.redisUrl, settings.redisPrefix);
  } catch (error) {
    await database.destroy();
    throw error;
  }
  const options = { logger: new PanelLog(), closeOnSignals: false, database };
  const notice = new ServiceNotice(process.env, (sentence) => process.stderr.write(`${sentence}\n`));
  const app = await createApp({ ...services.settings, secretKey, port: port ?? 0 }, options);
  try {
    asked.throwIfAborted();
    const admin = port === null ? null : await listen(app, settings, port);
    asked.throwIfAborted();
    started();
    if (port === null) say(welcomeWorker(settings));
    else welcome(settings, { port, admin, bySystemd: notice.wanted }).forEach(say);
    const presence = app.get(HostPresence, { strict: false });
    await notice.ready(settings.workerEnabled ? `Serving host ${settings.host}` : 'Answering', () => presence.alive);
    const lost = await Promise.race([services.failed, untilAborted(asked)]);
    say(lost === null ? 'Stopping. Game servers go on running.' : lostService(lost, settings));
    return lost === null ? 0 : 1;
  } finally {
    endWithin(CLOSE_MS);
    await notice.stopping();
    await app.close();
  }
}

/** @returns what to tell about the first admin, if this start made it */
async function listen(app: NestExpressApplication, settings: Settings, port: number): Promise<string | null> {
  const admin = await firstAdmin(app.get(DataSource), settings.adminPassword);
  await named({ port, bind: settings.bind }, () => app.listen(port, settings.bind));
  return admin;
}

/** Aborted by the first SIGINT or SIGTERM; a second one ends the process as if nobody listened. */
function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort(new AskedToStop(signal)));
  }
  return controller.signal;
}

function untilAborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)));
}

/** Whatever does not end in time is left as it is: everything the panel writes bears that. */
function endWithin(ms: number): void {
  setTimeout(() => process.exit(1), ms).unref();
}

function lostService(name: string, { root }: Settings): string {
  return `${name} ended unexpectedly, so the panel stops; see ${root}/log. Game servers go on running.`;
}
