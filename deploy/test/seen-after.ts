import type { Machine } from './machine.js';
import type { Panel } from './panel.js';

/**
 * How long after systemd a server's state of now was known to the panel, in ms. By what both wrote down, since how long somebody
 * takes to ask them is not the panel's time.
 */
export async function seenAfter(name: string, machine: Machine, panel: Panel): Promise<number> {
  const words = ['--timestamp=us+utc', '--property=StateChangeTimestamp', '--value', `left4me-server@${name}.service`];
  // Sun 2026-11-22 18:01:17.123456 UTC
  const [, day, time] = (await machine.get('systemctl', 'show', ...words)).split(' ');
  const { actualStateAt } = await panel.server(name);
  if (actualStateAt === null) throw new Error(`the panel has never looked at ${name}`);
  return Date.parse(actualStateAt) - Date.parse(`${day}T${time}Z`);
}
