import { eventually } from './eventually.js';
import type { Machine } from './machine.js';
import type { Panel } from './panel.js';

/**
 * Waits until the panel shows a server in a state that lasts; resolves with how long after systemd that was known to the panel, in ms.
 * By what both wrote down, since how long somebody takes to ask them is not the panel's time. The answer that shows it first counts:
 * each later look at the server is written down too.
 */
export async function seenAfter(
  name: string,
  state: string,
  machine: Machine,
  panel: Panel,
  seconds = 10,
): Promise<number> {
  let seenAt = '';
  await eventually(
    `${name} is shown as ${state}`,
    async () => {
      const { actualState, actualStateAt } = await panel.server(name);
      seenAt = actualStateAt ?? '';
      return actualState === state;
    },
    seconds,
  );
  const words = ['--timestamp=us+utc', '--property=StateChangeTimestamp', '--value', `left4me-server@${name}.service`];
  // Sun 2026-11-22 18:01:17.123456 UTC
  const [, day, time] = (await machine.get('systemctl', 'show', ...words)).split(' ');
  return Date.parse(seenAt) - Date.parse(`${day}T${time}Z`);
}
