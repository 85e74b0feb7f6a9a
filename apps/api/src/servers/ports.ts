/** What servers may have; below are ports that only root may open. */
export const LOWEST_PORT = 1024;
export const HIGHEST_PORT = 65_535;
/** Where the search for a free port begins: the game's own default. */
const FIRST_PORT = 27_015;
/** SourceTV's default: a server whose blueprint turns SourceTV on and says no port takes it. */
const SOURCE_TV_DEFAULT = 27_020;
const TV_DISTANCE = 10_000;
const PORTS = HIGHEST_PORT - LOWEST_PORT + 1;

/** A server's port for SourceTV. No two servers of a host have the same one, since no two have the same port. */
export function tvPortOf(port: number): number {
  return LOWEST_PORT + ((port - LOWEST_PORT + TV_DISTANCE) % PORTS);
}

/** The server's port whose SourceTV port this is: the inverse of `tvPortOf`. */
function portOfTv(tvPort: number): number {
  return LOWEST_PORT + ((tvPort - LOWEST_PORT + PORTS - TV_DISTANCE) % PORTS);
}

/**
 * The next free port of a host, from 27015 upwards and then from the bottom. It is nobody's port, nobody's SourceTV port, and its own
 * SourceTV port is nobody's port.
 * @returns null when there is none
 */
export function nextFreePort(taken: readonly number[]): number | null {
  const ports = new Set(taken);
  const free = (port: number) =>
    port !== SOURCE_TV_DEFAULT && !ports.has(port) && !ports.has(portOfTv(port)) && !ports.has(tvPortOf(port));
  for (let port = FIRST_PORT; port <= HIGHEST_PORT; port += 1) if (free(port)) return port;
  for (let port = LOWEST_PORT; port < FIRST_PORT; port += 1) if (free(port)) return port;
  return null;
}
