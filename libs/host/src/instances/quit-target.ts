import { rconPasswordOf } from '../rcon/client.js';
import type { QuitTarget } from '../service/service-manager.js';
import { Generations } from './generations.js';
import type { InstanceFolder } from './instance-folder.js';

const SERVER_CFG = 'left4dead2/cfg/server.cfg';

/** How to ask the generation that runs to quit; null when there is nothing to ask it with. */
export async function quitTargetOf(folder: InstanceFolder): Promise<QuitTarget | null> {
  const generations = new Generations(folder);
  const current = await generations.current();
  if (current === null) return null;
  const config = await generations.configFile(current, SERVER_CFG);
  const rconPassword = config === null ? null : rconPasswordOf(config);
  return rconPassword === null ? null : { port: (await generations.spec(current)).port, rconPassword };
}
