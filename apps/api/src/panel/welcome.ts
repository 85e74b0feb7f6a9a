import type { Settings } from '../config/settings.js';
import { USUAL_PORT } from './address.js';

/** What a panel that runs says of itself. */
export interface Running {
  port: number;
  /** About the first admin, if this start made it. */
  admin: string | null;
  /** systemd waits for word of it: there is no terminal to press Ctrl-C in. */
  bySystemd: boolean;
}

type Place = Pick<Settings, 'bind' | 'port' | 'publicUrl' | 'root' | 'workerEnabled'>;

/** The lines an API, with or without a worker, prints when it listens. */
export function welcome({ bind, port: asked, publicUrl, root, workerEnabled }: Place, running: Running): string[] {
  const { port, admin, bySystemd } = running;
  const everywhere = bind === '0.0.0.0' || bind === '::';
  const local = everywhere || bind === '127.0.0.1' ? 'localhost' : bind;
  const lines = [`left4me is running: ${publicUrl ?? `http://${local}:${port}`}`];
  if (asked === null && port !== USUAL_PORT) {
    lines.push(`(port ${USUAL_PORT} is taken; LEFT4ME_PORT chooses another)`);
  }
  if (!workerEnabled) lines.push('It runs no jobs itself: the worker of each host does (--role worker).');
  if (admin !== null) lines.push(admin);
  lines.push(`State: ${root}${bySystemd ? '' : '   Stop with Ctrl-C; game servers go on running.'}`);
  return ['', ...lines.map((line) => `  ${line}`), ''];
}

/** What a worker alone prints. */
export function welcomeWorker({ host, root }: Pick<Settings, 'host' | 'root'>): string {
  return `left4me is running: the worker of host ${host}, state in ${root}. It has no address: the console is the API's.`;
}
