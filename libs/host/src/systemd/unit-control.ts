import type { Run } from '../host.js';
import type { CommandRunner } from '../process/command-runner.js';
import { unitOf } from './unit-names.js';

/** systemd answers at once: what it was asked for goes on by itself (`--no-block`). */
const LIMIT_MS = 30_000;
/** Full paths: the sudo rule (deploy/sudoers) allows exactly these words. */
const SYSTEMCTL = ['/usr/bin/sudo', '--non-interactive', '/usr/bin/systemctl'] as const;

/** How systemctl tells of the links it makes and removes. `--quiet` would be one more word to allow. */
const OF_LINKS = /^(Created symlink|Removed) ["'“]?\//;

/** The three things that need root. None waits for the server; `UnitStates` tells how it went. */
export class UnitControl {
  /** `commands` must not use a user namespace: sudo is nobody there. */
  constructor(private readonly commands: Pick<CommandRunner, 'run'>) {}

  /** Starts the server, and from now on with the machine. */
  enable(name: string, run: Run): Promise<void> {
    return this.systemctl(['enable', '--now', '--no-block', unitOf(name)], run);
  }

  /** Stops the server; it does not start with the machine any more. */
  disable(name: string, run: Run): Promise<void> {
    return this.systemctl(['disable', '--now', '--no-block', unitOf(name)], run);
  }

  /** Forgets a failure and how often it was started lately. */
  resetFailed(name: string, run: Run): Promise<void> {
    return this.systemctl(['reset-failed', unitOf(name)], run);
  }

  private systemctl(words: readonly string[], run: Run): Promise<void> {
    const { signal, output } = run;
    const write: Run['output']['write'] = (stream, line) =>
      OF_LINKS.test(line) ? Promise.resolve() : output.write(stream, line);
    const progress: Run['output']['progress'] = (percent, text) => output.progress(percent, text);
    return this.commands.run(
      { command: [...SYSTEMCTL, ...words], timeLimitMs: LIMIT_MS },
      { signal, output: { write, progress } },
    );
  }
}
