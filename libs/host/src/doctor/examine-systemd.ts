import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { answers } from './answers.js';
import { bad, good, warning, type Finding } from './finding.js';

/** From dist/doctor, in a checkout and in an installation. */
const APPLY_LIMITS = fileURLToPath(new URL('../../../../deploy/apply-limits.sh', import.meta.url));
const AGAIN = 'run deploy/install.sh again';
/** A server that need not exist: what is asked is whether the rule would allow it. */
const EXAMPLE = 'left4me-server@example.service';

/** The words that the worker uses as root. */
const RIGHTS = [
  ['server', EXAMPLE, [['enable', '--now', '--no-block'], ['disable', '--now', '--no-block'], ['reset-failed']]],
  ['script', 'left4me-script@1.service', [['start'], ['stop'], ['reset-failed']]],
] as const;

/** What the systemd service manager needs: the unit, the right to start it, and the journal. */
export async function examineSystemd(): Promise<Finding[]> {
  if (!existsSync('/run/systemd/system')) {
    return [bad('systemd', 'it does not run this machine', 'set LEFT4ME_SERVICE_MANAGER=process')];
  }
  const enabled = await examineEnabled('left4me-worker.service');
  return [await serverUnit(), await limits(), ...enabled, await sudo(), await journal(), persistence()];
}

/** Whether a unit of the panel comes back with the machine; nothing where it is not installed. */
export async function examineEnabled(unit: string): Promise<Finding[]> {
  const { well, said } = await answers('systemctl', ['show', '--property=UnitFileState', '--value', unit]);
  if (!well || said === '') return [];
  if (said === 'enabled') return [good(unit, 'it starts with the machine')];
  return [warning(unit, `it is ${said}: it does not start with the machine`, `systemctl enable --now ${unit}`)];
}

/** Those of servers: whether the settings are right, and whether deploy/apply-limits.sh, at a start of the worker, has made them. */
export async function limits(): Promise<Finding> {
  const { well, said: wrong } = await answers(APPLY_LIMITS, ['--check']);
  if (!well) return bad('limits', wrong, 'correct it, and systemctl restart left4me-worker');
  const { said } = await answers('systemctl', ['show', '--property=DropInPaths', '--value', EXAMPLE]);
  if (said.includes('/limits.conf')) return good('limits', 'servers have those of host.env');
  return warning('limits', 'servers have those of the unit, not those of host.env', 'systemctl restart left4me-worker');
}

async function serverUnit(): Promise<Finding> {
  const { said } = await answers('systemctl', ['show', '--property=LoadState', '--value', EXAMPLE]);
  if (said === 'loaded') return good('server unit', 'left4me-server@.service is installed');
  return bad('server unit', `left4me-server@.service is ${said || 'not to be found'}`, AGAIN);
}

async function sudo(): Promise<Finding> {
  for (const [kind, unit, verbs] of RIGHTS) {
    for (const words of verbs) {
      const command = ['/usr/bin/systemctl', ...words, unit];
      const { well, said } = await answers('/usr/bin/sudo', ['--non-interactive', '--list', ...command]);
      const found = `this user may not ${words[0]} ${kind} units: ${said || 'no rule of sudo allows it'}`;
      if (!well) return bad('rights', found, AGAIN);
    }
  }
  return good('rights', 'this user may start and stop the units of servers and scripts');
}

async function journal(): Promise<Finding> {
  const { well, said } = await answers('journalctl', ['--quiet', '--lines=1', '--output=cat', '_PID=1']);
  if (well && said !== '') return good('journal', 'this user may read it');
  return bad(
    'journal',
    'this user may not read it, so servers would have no logs',
    'usermod -aG systemd-journal <user>',
  );
}

function persistence(): Finding {
  if (existsSync('/var/log/journal')) return good('journal on disk', 'it outlives a reboot');
  return warning('journal on disk', 'it is lost at a reboot, and the servers’ logs with it', 'mkdir /var/log/journal');
}
