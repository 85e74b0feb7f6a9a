import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailed, HostError, Interrupted, StartFailed } from '../errors.js';
import type { LogRequest, Run, ServerLogLine } from '../host.js';
import { InstanceFolder } from '../instances/instance-folder.js';
import { launcherArguments, type LaunchPlan, portOf } from '../launcher/launch-plan.js';
import { readLinkIfAny, writeFileDurably } from '../overlay/durable.js';
import { pause, waitUntil } from '../process/pause.js';
import type { PrintedLine } from '../process/telling-line.js';
import { LOCK_BUSY } from '../programs.js';
import type { QuitTarget, ServiceManager, ServiceState } from '../service/service-manager.js';
import type { JournalFollower } from './journal-follower.js';
import type { JournalLogs } from './journal-logs.js';
import type { LogBegins } from './log-begins.js';
import type { UnitControl } from './unit-control.js';
import { unitOf } from './unit-names.js';
import { STARTS_AGAIN } from './unit-state.js';
import type { UnitStates } from './unit-states.js';
import { watchInstances } from './watch-instances.js';

const START_LIMIT_MS = 45_000;
/** More than the unit's own limits for `quit` and SIGTERM together. */
const STOP_LIMIT_MS = 60_000;
const LOOK_MS = 100;
/** Where `systemctl enable` links what starts with the machine ([Install] in left4me-server@.service). */
const ENABLED = '/etc/systemd/system/multi-user.target.wants';
/** Lines of the last run that may tell why it ended. */
const TELLING_LINES = 20;

/** One unit `left4me-server@<name>` per server: systemd starts it with the machine and again after a crash. */
export class SystemdManager implements ServiceManager {
  constructor(
    private readonly root: string,
    private readonly control: UnitControl,
    private readonly units: UnitStates,
    private readonly follower: JournalFollower,
    private readonly journal: JournalLogs,
    private readonly begins: LogBegins,
  ) {}

  async start(plan: LaunchPlan, run: Run): Promise<{ started: boolean }> {
    const { name } = plan;
    if (run.signal.aborted) throw new Interrupted(`starting ${name}`);
    const before = await this.units.one(name);
    if (before.state.state === 'running') return { started: false };
    await this.writeLaunch(plan);
    await rm(this.launched(name), { force: true });
    await this.forgetFailures(name, run);
    await this.control.enable(name, run);
    const outcome = await this.outcomeOf(plan, before.run, run.signal);
    if (outcome === 'runs') return { started: true };
    await this.stop(name, null, { ...run, signal: new AbortController().signal });
    if (outcome === 'aborted') throw new Interrupted(`starting ${name}`);
    if (outcome.exitCode === LOCK_BUSY) {
      const holder = 'a supervisor of left4me runs it: stop it with LEFT4ME_SERVICE_MANAGER=process';
      throw new HostError('other-manager', `${name} did not start, its lock is held: ${holder}`);
    }
    const ended = outcome.exitCode === null ? 'it ended at once' : `it ended with code ${outcome.exitCode}`;
    // It was stopped above: systemd does not try again.
    const reason = outcome.reason?.replace(STARTS_AGAIN, '') ?? ended;
    throw new StartFailed({ name, port: portOf(plan) }, outcome.exitCode || 1, reason, await this.lastLines(name));
  }

  /** The unit itself asks the server to quit (ExecStop), also when the machine goes down. */
  async stop(name: string, _quit: QuitTarget | null, run: Run): Promise<void> {
    if ((await this.state(name)).state === 'stopped' && !(await isEnabled(name))) return;
    await this.control.disable(name, run);
    const ended = await waitUntil(
      async () => ['stopped', 'failed'].includes((await this.state(name)).state),
      STOP_LIMIT_MS,
      LOOK_MS,
      run.signal,
    );
    if (!ended && run.signal.aborted) throw new Interrupted(`stopping ${name}`);
    if (!ended) throw new HostError('stop-failed', `${name} does not end, see: systemctl status ${unitOf(name)}`);
    await this.forgetFailures(name, run);
  }

  states(names: readonly string[]): Promise<ServiceState[]> {
    return this.units.read(names);
  }

  beginLog(name: string, signal: AbortSignal): Promise<void> {
    return this.begins.mark(name, signal);
  }

  logs(name: string, request: LogRequest): AsyncIterable<ServerLogLine> {
    return this.journal.read(name, request);
  }

  /**
   * systemd tells the journal about every start, end and failure; an instance that somebody else makes or deletes (l4d2ctl) is seen
   * by its folder. All names come first: nobody listened before.
   */
  async *changes(signal: AbortSignal): AsyncGenerator<string> {
    const changed = new Set<string>();
    const failures: Error[] = [];
    let wake = (): void => undefined;
    const stop = await this.follower.listen({
      entry: ({ server, event }) => {
        if (!event) return;
        this.units.forget(server);
        changed.add(server);
        wake();
      },
      ended: (error) => {
        failures.push(error);
        wake();
      },
    });
    const forgetAll = this.units.remember();
    let stopWatching = (): void => undefined;
    const onAbort = (): void => wake();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      stopWatching = await watchInstances(this.root, (name) => {
        changed.add(name);
        wake();
      });
      for (const name of await this.units.loaded()) changed.add(name);
      while (!signal.aborted) {
        const names = [...changed];
        changed.clear();
        yield* names;
        for (const failure of failures) throw failure;
        if (changed.size === 0 && !signal.aborted) await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
      forgetAll();
      stop();
      stopWatching();
    }
  }

  private async state(name: string): Promise<ServiceState> {
    const [state] = await this.units.read([name]);
    if (state === undefined) throw new HostError('systemd-unreadable', `systemd told nothing about ${name}`);
    return state;
  }

  /** start-server.sh reads it, now, after a crash and after a reboot: one word a line. */
  private async writeLaunch(plan: LaunchPlan): Promise<void> {
    const words = launcherArguments(plan);
    const wrong = words.find((word) => /[\n\r\0]/.test(word));
    if (wrong !== undefined)
      throw new HostError('bad-argument', `an argument has a line break: ${JSON.stringify(wrong)}`);
    const path = join(new InstanceFolder(this.root, plan.name).path, 'launch');
    await writeFileDurably(path, words.map((word) => `${word}\n`).join(''), 0o640);
  }

  /** Starts by hand count against the limit of restarts, too. A unit that systemd has not loaded has nothing to forget. */
  private async forgetFailures(name: string, run: Run): Promise<void> {
    if (!(await this.units.loaded()).includes(name)) return;
    try {
      await this.control.resetFailed(name, run);
    } catch (error) {
      if (!(error instanceof CommandFailed) || (await this.units.loaded()).includes(name)) throw error;
    }
  }

  /** @param before the run that was known when the server was to be started: how that ended does not matter */
  private async outcomeOf(
    { name, settleMs }: LaunchPlan,
    before: string | null,
    signal: AbortSignal,
  ): Promise<'runs' | 'aborted' | ServiceState> {
    const begun = performance.now();
    let runningSince: number | null = null;
    for (;;) {
      if (signal.aborted) return 'aborted';
      const { state, run } = await this.units.one(name);
      const now = performance.now();
      if (state.state === 'running') {
        // What comes before, the launcher's mounts, may take longer than that on a busy machine.
        if (existsSync(this.launched(name))) runningSince ??= now;
        if (runningSince !== null && now - runningSince >= settleMs) return 'runs';
        if (now - begun > START_LIMIT_MS) return { ...state, reason: 'its launcher does not come to an end' };
      } else {
        // systemd is about to start it again after a crash, and does so in its own time: that is the run that was asked for.
        const awaited = state.state === 'starting' && run === before && runningSince === null;
        const ended = state.state === 'stopped' || state.reason !== null || runningSince !== null;
        if (ended && !awaited) return state;
        if (now - begun > START_LIMIT_MS) {
          return awaited ? { ...state, exitCode: null, reason: 'systemd does not start it again' } : state;
        }
      }
      await pause(LOOK_MS, signal);
    }
  }

  private launched(name: string): string {
    return join(new InstanceFolder(this.root, name).path, 'launched');
  }

  private async lastLines(name: string): Promise<PrintedLine[]> {
    const lines: PrintedLine[] = [];
    for await (const line of this.journal.read(name, { lines: TELLING_LINES })) lines.push(line);
    // Only of this run: what systemd said when it started the unit ends what was before.
    const begin = lines.findLastIndex(({ line }) => line.startsWith('systemd: Starting '));
    return lines.slice(begin + 1).filter(({ line }) => !line.startsWith('systemd: '));
  }
}

async function isEnabled(name: string): Promise<boolean> {
  return (await readLinkIfAny(join(ENABLED, unitOf(name)))) !== null;
}
