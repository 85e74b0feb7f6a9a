import { lstat, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canExecute } from '../doctor/can-execute.js';
import { CommandFailed, NotSupported } from '../errors.js';
import type { Run } from '../host.js';
import { hasCode } from '../overlay/durable.js';
import type { CommandRunner } from '../process/command-runner.js';
import { PROGRAMS } from '../programs.js';
import { checkAvailableMemory, checkProcesses } from './process-use.js';
import { INSIDE, insideCommand, SCRIPT_ENVIRONMENT, type ScriptSandbox } from './sandbox.js';
import type { ScriptLimits } from './script-limits.js';
import type { ScriptPlace } from './script-place.js';
import { watched } from './watched.js';

export const BUBBLEWRAP_PLACES = ['/usr/bin/bwrap', '/usr/local/bin/bwrap', '/bin/bwrap'];
const TRY_LIMIT_MS = 10_000;
/** An ordinary user of the sandbox's own user namespace, whoever runs it. */
const UID = '1000';
const SYSTEM_FOLDERS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32'];
/**
 * Of /etc what name resolution, TLS and the dynamic linker need. Nothing that may hold a secret: what a panel that runs as root may
 * read, its scripts may. So not all of pki (private keys are below pki/tls), and no gitconfig (it may hold tokens).
 */
const ETC =
  'nsswitch.conf services protocols localtime ld.so.cache ld.so.conf ld.so.conf.d alternatives ssl/certs ssl/openssl.cnf pki/ca-trust/extracted pki/tls/certs ca-certificates'.split(
    ' ',
  );
const PROC_HIDDEN = ['kcore', 'keys', 'kmsg', 'kallsyms', 'timer_list', 'sched_debug'];

/** Scripts in bubblewrap: namespaces of their own for everything, the network too, and a root made of nothing but what is listed here. */
export class BubblewrapSandbox implements ScriptSandbox {
  readonly programs = [PROGRAMS.runScript];

  constructor(
    private readonly commands: CommandRunner,
    private readonly places: readonly string[],
  ) {}

  async require(run: Run): Promise<void> {
    const program = await this.program();
    const quiet = { signal: run.signal, output: { write: () => Promise.resolve(), progress: () => undefined } };
    try {
      const command = entering(program, [...(await isolation()), '--', '/bin/true']);
      await this.commands.run({ command, timeLimitMs: TRY_LIMIT_MS, name: 'bubblewrap' }, quiet);
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error;
      const needs = 'it needs bubblewrap 0.8 and unprivileged user namespaces';
      throw new NotSupported(`This machine has no sandbox for scripts, so none is run: ${error.message}; ${needs}`);
    }
  }

  async run(place: ScriptPlace, limits: ScriptLimits, run: Run): Promise<void> {
    const command = entering(await this.program(), await this.words(place, limits));
    let root: number | null = null;
    const folders = [place.output, place.cache, place.tmp] as const;
    const check = (): void => {
      checkAvailableMemory(limits);
      if (root !== null) checkProcesses(root, limits);
    };
    await watched({ folders, limits, check }, run, (bounded) => {
      const timeLimitMs = limits.seconds * 1000;
      return this.commands.run({ command, timeLimitMs, name: 'the script', onStart: (pid) => (root = pid) }, bounded);
    });
  }

  async forget(): Promise<void> {
    // It keeps nothing.
  }

  private async program(): Promise<string> {
    for (const path of this.places) if (await canExecute(path)) return path;
    const install = 'install the package bubblewrap (apt-get install bubblewrap)';
    throw new NotSupported(`This machine has no sandbox for scripts, so none is run: ${install}`);
  }

  private async words(place: ScriptPlace, limits: ScriptLimits): Promise<string[]> {
    const node = `${INSIDE.run}/node`;
    const passwd = join(place.run, 'passwd');
    const group = join(place.run, 'group');
    await writeFile(passwd, `root:x:0:0::/:/bin/false\nscript:x:${UID}:${UID}::/tmp:/bin/bash\n`);
    await writeFile(group, `root:x:0:\nscript:x:${UID}:\n`);
    await writeFile(join(place.run, 'node'), '');
    return [
      await isolation(),
      ['--ro-bind', passwd, '/etc/passwd', '--ro-bind', group, '/etc/group'],
      ['--ro-bind', place.run, INSIDE.run, '--ro-bind', process.execPath, node],
      ['--ro-bind', place.game, INSIDE.game],
      ['--bind', place.output, INSIDE.overlay, '--bind', place.cache, INSIDE.cache, '--bind', place.tmp, '/tmp'],
      ['--remount-ro', '/', '--chdir', INSIDE.overlay, '--'],
      insideCommand(node, limits),
    ].flat();
  }
}

function entering(program: string, words: readonly string[]): [string, ...string[]] {
  const enter = ['/bin/bash', PROGRAMS.enterBubblewrap, program, ...words];
  return process.geteuid?.() === 0 ? ['unshare', '--mount', '--', ...enter] : ['/usr/bin/env', ...enter];
}

/** Everything but the script's own folders. */
async function isolation(): Promise<string[]> {
  const namespaces = ['user', 'pid', 'net', 'ipc', 'uts', 'cgroup'].map((name) => `--unshare-${name}`);
  return [
    [...namespaces, '--disable-userns', '--uid', UID, '--gid', UID, '--hostname', 'script'],
    ['--die-with-parent', '--new-session', '--cap-drop', 'ALL', '--clearenv'],
    Object.entries(SCRIPT_ENVIRONMENT).flatMap(([name, value]) => ['--setenv', name, value]),
    ['--ro-bind', '/usr', '/usr', ...(await systemFolders())],
    ETC.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`]),
    // A panel that runs as root owns the kernel's settings, and any script its own rank among those that the kernel ends.
    ['--proc', '/proc', '--remount-ro', '/proc'],
    ['--dev', '/dev', '--remount-ro', '/dev'],
    await hidden(),
  ].flat();
}

/** Links into /usr, or folders where the system has not merged them. */
async function systemFolders(): Promise<string[]> {
  const words: string[] = [];
  for (const folder of SYSTEM_FOLDERS) {
    const stats = await lstat(folder).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    });
    if (stats?.isSymbolicLink()) words.push('--symlink', await readlink(folder), folder);
    else if (stats?.isDirectory()) words.push('--ro-bind', folder, folder);
  }
  return words;
}

async function hidden(): Promise<string[]> {
  const words: string[] = [];
  for (const name of PROC_HIDDEN) {
    const path = `/proc/${name}`;
    const there = await lstat(path).then(
      () => true,
      () => false,
    );
    if (there) words.push('--ro-bind', '/dev/null', path);
  }
  return words;
}
