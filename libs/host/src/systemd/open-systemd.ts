import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NotSupported } from '../errors.js';
import { CommandRunner } from '../process/command-runner.js';
import type { CommandRecords } from '../process/command-records.js';
import type { ServiceManager } from '../service/service-manager.js';
import { EndRecords } from './end-records.js';
import { JournalFollower } from './journal-follower.js';
import { JournalLogs } from './journal-logs.js';
import { JournalPositions } from './journal-positions.js';
import { journalctl } from './journalctl.js';
import { LogBegins } from './log-begins.js';
import { SystemdManager } from './systemd-manager.js';
import { UnitControl } from './unit-control.js';
import { UnitStates } from './unit-states.js';

/** The production service manager. Throws `NotSupported` where systemd does not run (sd_booted(3)). */
export function openSystemdManager(root: string, records: CommandRecords): ServiceManager {
  if (!existsSync('/run/systemd/system')) {
    throw new NotSupported('LEFT4ME_SERVICE_MANAGER=systemd, but systemd does not run this machine: use process');
  }
  const follower = new JournalFollower();
  const positions = new JournalPositions(join(root, 'cache', 'journal-epochs.json'));
  const control = new UnitControl(new CommandRunner(false, records));
  const units = new UnitStates(new EndRecords(root));
  const begins = new LogBegins(root, journalctl);
  const logs = new JournalLogs(follower, positions, begins, journalctl);
  return new SystemdManager(root, control, units, follower, logs, begins);
}
