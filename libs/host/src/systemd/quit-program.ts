import { InstanceFolder } from '../instances/instance-folder.js';
import { quitTargetOf } from '../instances/quit-target.js';
import { waitUntil } from '../process/pause.js';
import { rconCommand } from '../rcon/client.js';

/**
 * `quit-program.js <name> [<main process>]`: ExecStop of a server's unit. Asks the server to quit over RCON and waits for
 * its end; when it does not hear, systemd goes on with SIGTERM. Without a main process (it crashed) there is nobody to ask.
 */
const QUIT_LIMIT_MS = 10_000;

async function main(name: string, mainProcess: number): Promise<void> {
  const target = await quitTargetOf(new InstanceFolder(process.env.LEFT4ME_ROOT ?? '/var/lib/left4me', name));
  if (target === null) return say('there is no RCON password to ask it to quit with');
  try {
    await rconCommand({ host: '127.0.0.1', port: target.port, password: target.rconPassword }, 'quit');
  } catch (error) {
    return say(`RCON: ${error instanceof Error ? error.message : String(error)}`);
  }
  say('sent "quit" over RCON');
  if (!(await waitUntil(async () => !exists(mainProcess), QUIT_LIMIT_MS))) say('it did not quit: SIGTERM comes next');
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function say(text: string): void {
  process.stdout.write(`left4me: ${text}\n`);
}

const [name = '', mainProcess] = process.argv.slice(2);
if (mainProcess !== undefined && /^[1-9]\d*$/.test(mainProcess)) await main(name, Number(mainProcess));
