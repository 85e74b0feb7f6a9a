import { instanceName, isInstanceName } from '../instances/names.js';

/** Every server's unit, as systemd matches names. */
export const ALL_UNITS = 'left4me-server@*.service';
/** Where systemd puts the servers' processes; the journal's lines of all servers carry it. */
export const SERVER_SLICE = 'left4me-game.slice';

/** The unit of a server. Throws `InvalidName`. */
export function unitOf(name: string): string {
  return `left4me-server@${instanceName(name)}.service`;
}

/** What a server's lines are marked with (start-server.sh); a name alone could be that of another program of the service user. */
export function identifierOf(name: string): string {
  return `left4me-server@${instanceName(name)}`;
}

/** The server of a unit; null for any other unit. */
export function serverOf(unit: string): string | null {
  const name = /^left4me-server@(.+)\.service$/.exec(unit)?.[1];
  return name !== undefined && isInstanceName(name) ? name : null;
}
