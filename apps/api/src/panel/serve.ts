import { DataSource } from 'typeorm';
import { createApp } from '../app.js';
import { type Settings, WrongSettings } from '../config/settings.js';
import { freePort } from '../embedded/free-port.js';
import { PanelLog } from '../panel-log.js';
import { firstAdmin } from './first-admin.js';
import { openServices } from './services.js';

const USUAL_PORT = 8080;
/** Longer than a running job may take to be stopped. */
const CLOSE_MS = 25_000;

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Runs the panel until SIGINT or SIGTERM. Game servers go on without it. @returns the exit code */
export async function serve(settings: Settings): Promise<number> {
  const services = await openServices(settings, say);
  const asked = new Promise<'asked'>((resolve) => {
    process.once('SIGINT', () => resolve('asked'));
    process.once('SIGTERM', () => resolve('asked'));
  });
  try {
    const port = await portFor(settings);
    const app = await createApp({ ...services.settings, port }, { logger: new PanelLog(), closeOnSignals: false });
    try {
      const admin = await firstAdmin(app.get(DataSource), settings.adminPassword);
      await app.listen(port, settings.bind);
      welcome(settings, port, admin);
      const reason = await Promise.race([asked, services.failed]);
      say(reason === 'asked' ? 'Stopping. Game servers go on running.' : lostService(reason, settings));
      return reason === 'asked' ? 0 : 1;
    } finally {
      const tooLong = setTimeout(() => process.exit(1), CLOSE_MS);
      await app.close();
      clearTimeout(tooLong);
    }
  } finally {
    await services.stop();
  }
}

async function portFor({ port, bind }: Settings): Promise<number> {
  const free = await freePort(port ?? USUAL_PORT, bind);
  if (port !== null && free !== port) throw new WrongSettings(`LEFT4ME_PORT: port ${port} is taken on ${bind}.`);
  return free;
}

function lostService(name: string, { root }: Settings): string {
  return `${name} ended unexpectedly, so the panel stops; see ${root}/log. Game servers go on running.`;
}

function welcome(settings: Settings, port: number, admin: string | null): void {
  const everywhere = settings.bind === '0.0.0.0' || settings.bind === '::';
  const local = everywhere || settings.bind === '127.0.0.1' ? 'localhost' : settings.bind;
  const address = settings.publicUrl ?? `http://${local}:${port}`;
  say('');
  say(`  left4me is running: ${address}`);
  if (settings.port === null && port !== USUAL_PORT)
    say(`  (port ${USUAL_PORT} is taken; LEFT4ME_PORT chooses another)`);
  if (admin) say(`  ${admin}`);
  say(`  State: ${settings.root}   Stop with Ctrl-C; game servers go on running.`);
  say('');
}
