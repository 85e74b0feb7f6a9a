import { join } from 'node:path';
import { HostError } from '../errors.js';
import type { HostOptions, Run } from '../host.js';
import { CommandRecords } from '../process/command-records.js';
import { CommandRunner } from '../process/command-runner.js';
import { openSandbox } from '../scripts/open-sandbox.js';
import type { ScriptSandbox } from '../scripts/sandbox.js';
import { good, warning, type Finding } from './finding.js';

/** Whether overlays can be made by scripts here: what is looked at before each of their builds. */
export async function examineScripts(
  options: HostOptions,
  sandbox: Pick<ScriptSandbox, 'require'> = sandboxOf(options),
): Promise<Finding> {
  const about = 'scripts of overlays';
  const run: Run = {
    signal: new AbortController().signal,
    output: { write: () => Promise.resolve(), progress: () => undefined },
  };
  try {
    await sandbox.require(run);
  } catch (error) {
    // Also where systemd does not answer: all other findings would be lost with this one.
    if (!(error instanceof HostError)) throw error;
    return warning(about, error.message, 'nothing, if no overlay is to be made by a script: all others are built');
  }
  return good(about, `they run in ${options.serviceManager === 'systemd' ? 'units of their own' : 'bubblewrap'}`);
}

function sandboxOf(options: HostOptions): ScriptSandbox {
  const records = new CommandRecords(join(options.root, 'cache', 'commands'));
  return openSandbox(options, new CommandRunner(true, records), records);
}
