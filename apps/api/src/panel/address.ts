import type { Settings } from '../config/settings.js';
import { WrongSettings } from '../config/settings.js';
import { freePort } from '../embedded/free-port.js';

export const USUAL_PORT = 8080;

type Address = Pick<Settings, 'port' | 'bind'>;

/**
 * Whether the panel may listen there at all. That the port is free shows only when it is taken, some seconds later.
 * @throws WrongSettings naming what is wrong
 */
export async function checkAddress(address: Address): Promise<void> {
  await named(address, () => freePort(address.port ?? 0, address.bind));
}

/**
 * The port that was asked for, or one that is free.
 * @throws WrongSettings when somebody listens there already
 */
export async function portFor(address: Address): Promise<number> {
  const { port, bind } = address;
  const free = await named(address, () => freePort(port ?? USUAL_PORT, bind));
  if (port !== null && free !== port) throw taken(address);
  return free;
}

/** Listens, or does whatever else with the address; an error of the system's about it becomes one that names the setting. */
export async function named<T>(address: Address, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { port, bind } = address;
    switch (error instanceof Error && 'code' in error && error.code) {
      case 'EADDRINUSE':
        throw taken(address);
      case 'EACCES':
        throw new WrongSettings(`LEFT4ME_PORT: this user may not listen on port ${port}; above 1023 everybody may.`);
      case 'EADDRNOTAVAIL':
      case 'ENOTFOUND':
      case 'EAI_AGAIN':
      case 'EAFNOSUPPORT':
      case 'EINVAL':
        throw new WrongSettings(`LEFT4ME_BIND: ${bind} is not an address of this machine.`, { cause: error });
      default:
        throw error;
    }
  }
}

function taken({ port, bind }: Address): WrongSettings {
  return new WrongSettings(`LEFT4ME_PORT: port ${port ?? USUAL_PORT} is taken on ${bind}.`);
}
