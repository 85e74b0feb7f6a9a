import { join } from 'node:path';
import { NotSupported } from '../errors.js';
import type { HostOptions, Run } from '../host.js';
import { CommandRecords } from '../process/command-records.js';
import { CommandRunner } from '../process/command-runner.js';
import { openSandbox } from '../scripts/open-sandbox.js';
import { good, warning, type Finding } from './finding.js';

/** Whether overlays can be made by scripts here: what is looked at before each of their builds. */
export async function examineScripts(options: HostOptions): Promise<Finding> {
  const about = 'scripts of overlays';
  const records = new CommandRecords(join(options.root, 'cache', 'commands'));
  const run: Run = {
    signal: new AbortController().signal,
    output: { write: () => Promise.resolve(), progress: () => undefined },
  };
  try {
    await openSandbox(options, new CommandRunner(true, records), records).require(run);
  } catch (error) {
    if (!(error instanceof NotSupported)) throw error;
    return warning(about, error.message, 'nothing, if no overlay is to be made by a script: all others are built');
  }
  const sandbox = options.serviceManager === 'systemd' ? 'units of their own' : 'bubblewrap';
  return good(about, `they run in ${sandbox}`);
}
