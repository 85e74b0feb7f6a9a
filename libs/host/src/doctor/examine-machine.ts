import { access, constants, stat, statfs } from 'node:fs/promises';
import type { HostOptions } from '../host.js';
import { probeNamespaces } from '../launcher/probe.js';
import { hasCode } from '../overlay/durable.js';
import { Builds } from '../runtime/builds.js';
import { examineScripts } from './examine-scripts.js';
import { examineSteamcmd } from './examine-steamcmd.js';
import { examineSystemd } from './examine-systemd.js';
import { canExecute } from './can-execute.js';
import { bad, good, warning, type Finding } from './finding.js';

/** All from util-linux; the launcher and the command runner use them. */
const PROGRAMS = ['unshare', 'setpriv', 'flock', 'mount', 'pivot_root'];
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const GB = 1e9;
/** The real game, and a second build of it while it is updated. */
const GAME_BYTES = 20 * GB;
const LITTLE_BYTES = 2 * GB;

/** Looks at everything the host library needs of this machine, and changes nothing. Run it as the service user. */
export async function examineMachine(options: HostOptions): Promise<Finding[]> {
  const findings = [await programs(), ...(await stateFolder(options))];
  if (findings.every(({ state }) => state !== 'bad')) findings.push(await isolation(options.root));
  findings.push(...(await serviceManager(options)), await examineScripts(options), ...(await game(options)));
  return findings;
}

async function programs(): Promise<Finding> {
  const missing: string[] = [];
  for (const program of PROGRAMS) {
    if (!(await onPath(program))) missing.push(program);
  }
  if (missing.length === 0) return good('programs', `${PROGRAMS.join(', ')} are there`);
  return bad('programs', `${missing.join(', ')} missing`, 'install the package util-linux');
}

async function stateFolder({ root, steamcmd }: HostOptions): Promise<Finding[]> {
  const about = 'state folder';
  try {
    const { uid } = await stat(root);
    await access(root, constants.R_OK | constants.W_OK | constants.X_OK);
    const { bavail, bsize } = await statfs(root);
    const free = bavail * bsize;
    const space = `${(free / GB).toFixed(1)} GB free`;
    const wanted = steamcmd === undefined ? LITTLE_BYTES : GAME_BYTES;
    const room =
      free >= wanted
        ? good('disk', `${space} below ${root}`)
        : warning('disk', `${space} below ${root}`, `make room for ${wanted / GB} GB: builds and overlays are copies`);
    return [good(about, `${root} belongs to user ${uid} and can be written`), room];
  } catch (error) {
    if (hasCode(error, 'ENOENT'))
      return [bad(about, `${root} does not exist`, 'set LEFT4ME_ROOT, or start the panel once')];
    if (!hasCode(error, 'EACCES', 'EROFS')) throw error;
    return [bad(about, `${root} cannot be written`, 'run this as the user that owns it, who runs the worker')];
  }
}

async function isolation(root: string): Promise<Finding> {
  const reason = await probeNamespaces(root, process.geteuid?.() || 1000);
  if (reason === null) return good('isolation', 'a server sees its own files and processes only');
  return warning(
    'isolation',
    `servers run unprotected from each other, on copies of the game: ${reason}`,
    'allow unprivileged user namespaces: sysctl user.max_user_namespaces; on Ubuntu 24.04 the profile in deploy/apparmor',
  );
}

async function serviceManager(options: HostOptions): Promise<Finding[]> {
  if (options.serviceManager === 'systemd') return examineSystemd();
  const found = 'process: servers outlive the panel, but do not come back after a reboot';
  return [warning('service manager', found, 'install with deploy/install.sh for systemd')];
}

async function game({ root, steamcmd }: HostOptions): Promise<Finding[]> {
  const current = await new Builds(root).current();
  const installed =
    current === null
      ? warning('game', 'it is not installed', 'press Install in the console, or run l4d2ctl install')
      : good('game', `build ${current} is the current one`);
  if (steamcmd === undefined) {
    const found = 'LEFT4ME_STEAMCMD is not set: install sets up the demo runtime, not the game';
    return [installed, warning('steamcmd', found, 'install steamcmd and set LEFT4ME_STEAMCMD to its path')];
  }
  return [installed, ...(await examineSteamcmd(root, steamcmd))];
}

async function onPath(program: string): Promise<boolean> {
  const found = await Promise.all(SYSTEM_PATH.split(':').map((folder) => canExecute(`${folder}/${program}`)));
  return found.includes(true);
}
