import type { HostOptions } from '../host.js';
import type { CommandRecords } from '../process/command-records.js';
import { CommandRunner } from '../process/command-runner.js';
import { BUBBLEWRAP_PLACES, BubblewrapSandbox } from './bubblewrap.js';
import type { ScriptSandbox } from './sandbox.js';
import { ScriptUnit } from './script-unit.js';

/** The sandbox for scripts that goes with the service manager; whether this machine has it, `require` tells. */
export function openSandbox(
  { serviceManager, bubblewrap }: HostOptions,
  commands: CommandRunner,
  records: CommandRecords,
): ScriptSandbox {
  // sudo is nobody in a user namespace.
  if (serviceManager === 'systemd') return new ScriptUnit(new CommandRunner(false, records));
  return new BubblewrapSandbox(commands, bubblewrap === undefined ? BUBBLEWRAP_PLACES : [bubblewrap]);
}
