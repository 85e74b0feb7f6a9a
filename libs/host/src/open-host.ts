import { mkdir } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { HostError } from './errors.js';
import { readMachineId } from './facts.js';
import type { Host, HostOptions } from './host.js';
import { InstanceTurns } from './instances/instance-turns.js';
import { Instances } from './instances/instances.js';
import { Trash } from './instances/trash.js';
import { SETTLE_MS } from './launcher/launch-plan.js';
import { probeNamespaces } from './launcher/probe.js';
import { LocalHost } from './local-host.js';
import { openTrees } from './overlay/folder-trees.js';
import { Publisher } from './overlay/publish.js';
import { CommandRunner } from './process/command-runner.js';
import { CommandRecords } from './process/command-records.js';
import { readBootId } from './process/process-table.js';
import { ProcessManager } from './process-manager/process-manager.js';
import { Builds } from './runtime/builds.js';
import { DemoRuntime } from './runtime/demo.js';
import { Retention } from './runtime/retention.js';
import { openSandbox } from './scripts/open-sandbox.js';
import { ScriptBuilds } from './scripts/script-builds.js';
import { NewestKnown } from './steamcmd/newest-known.js';
import { SteamRuntime } from './steamcmd/steam-runtime.js';
import { Steamcmd } from './steamcmd/steamcmd.js';
import { KEPT_FILES, KeptFiles } from './yielding/kept-files.js';
import { openSystemdManager } from './systemd/open-systemd.js';
import { LocalServerFiles } from './trees/server-files.js';
import { openWorkshop } from './workshop/open-workshop.js';

/** What a server is inside its user namespace when this process is root itself. */
const UID_FOR_ROOT = 1000;
/** `nobody`: what a server becomes when this process is root and there are no user namespaces. */
const UID_WITHOUT_NAMESPACES = 65_534;
const REPLACED_DAYS = 30;
const REPLACED_BYTES = 1024 ** 3;

/**
 * Opens the machine below `root`: makes the folders, tries whether servers can be isolated (once, by launching
 * /bin/true like a server) and ends what a killed worker left running.
 * Throws `NotSupported` for the systemd service manager where systemd does not run.
 */
export async function openHost(options: HostOptions): Promise<Host> {
  const { root, steamcmd } = options;
  if (!isAbsolute(root)) throw new HostError('bad-root', `LEFT4ME_ROOT must be an absolute path: ${root}`);
  for (const folder of ['installation', 'drafts', 'builds', 'overlays', 'instances', 'cache', 'trash']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  const records = new CommandRecords(join(root, 'cache', 'commands'));
  await records.proveGone();
  const manager = options.serviceManager === 'systemd' ? openSystemdManager(root, records) : new ProcessManager(root);

  const own = process.geteuid?.() ?? 0;
  const { isolation, isolationReason } = await isolationOf(options, own === 0 ? UID_FOR_ROOT : own);
  const uidForRoot = isolation === 'copy' ? UID_WITHOUT_NAMESPACES : UID_FOR_ROOT;
  const builds = new Builds(root);
  const commands = new CommandRunner(isolation === 'namespaces', records);
  const trash = new Trash(root);
  const facts = {
    machineId: await readMachineId(root),
    bootId: await readBootId(),
    isolation,
    isolationReason,
    runtimeKind: steamcmd ? 'steam' : 'demo',
  } as const;
  const turns = new InstanceTurns();
  const keptFiles = options.keptFiles ?? KEPT_FILES;
  const files = new LocalServerFiles(root, isolation, turns, commands, new KeptFiles(keptFiles));
  return new LocalHost(facts, openTrees(join(root, 'drafts')), files, openWorkshop(root, options.workshop), {
    root,
    turns,
    builds,
    runtime: steamcmd ? openSteam(root, steamcmd, builds, commands) : new DemoRuntime(builds),
    instances: new Instances(
      {
        root,
        isolation,
        uid: own === 0 ? uidForRoot : own,
        settleMs: options.settleMs ?? SETTLE_MS,
        keptFiles,
        keptReplaced: { days: options.replacedDays ?? REPLACED_DAYS, bytes: REPLACED_BYTES },
      },
      manager,
      builds,
      commands,
      trash,
    ),
    manager,
    trash,
    publisher: new Publisher(
      { draft: join(root, 'drafts'), build: join(root, 'builds') },
      join(root, 'overlays'),
      commands,
    ),
    scripts: new ScriptBuilds(root, builds, openSandbox(options, commands, records)),
  });
}

function openSteam(root: string, program: string, builds: Builds, commands: CommandRunner): SteamRuntime {
  const cache = join(root, 'cache');
  const steamcmd = new Steamcmd({ program, home: join(cache, 'steam') }, commands);
  return new SteamRuntime(
    steamcmd,
    builds,
    new Retention(root, builds),
    new NewestKnown(join(cache, 'steam-newest.json')),
    commands,
  );
}

async function isolationOf(
  options: HostOptions,
  uid: number,
): Promise<{ isolation: 'namespaces' | 'copy'; isolationReason: string | null }> {
  if (options.assumeIsolation === 'copy') return { isolation: 'copy', isolationReason: 'asked for' };
  if (options.assumeIsolation === 'namespaces') return { isolation: 'namespaces', isolationReason: null };
  const reason = await probeNamespaces(options.root, uid);
  return { isolation: reason === null ? 'namespaces' : 'copy', isolationReason: reason };
}
