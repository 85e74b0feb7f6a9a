import type { InstanceStatus, LogRequest, Run, ServerLogLine } from '../host.js';
import type { LaunchPlan } from '../launcher/launch-plan.js';

/** What a service manager knows of one server; generations are added by whoever knows them. */
export type ServiceState = Omit<InstanceStatus, 'name' | 'generation' | 'nextGeneration'>;

/** A server that this machine has never run, or forgotten. */
export const NEVER_RAN: ServiceState = {
  state: 'stopped',
  pid: null,
  startedAt: null,
  exitCode: null,
  signal: null,
  reason: null,
  usage: null,
};

/** How to ask a server to end by itself. */
export interface QuitTarget {
  port: number;
  rconPassword: string;
}

/** Keeps servers running: our own supervisors, or systemd. */
export interface ServiceManager {
  /** Returns when the server's program runs; false when it ran already. Throws `StartFailed`, `Interrupted`. */
  start(plan: LaunchPlan, run: Run): Promise<{ started: boolean }>;
  /** Resolves when nothing of the server is left. A stopped server: success. */
  stop(name: string, quit: QuitTarget | null, run: Run): Promise<void>;
  /** In the order of `names`. */
  states(names: readonly string[]): Promise<ServiceState[]>;
  /**
   * Said of each instance before it is there, and again later: what was logged under its name before is not its own. Throws
   * `Interrupted`, and `TimedOut` where the log does not answer.
   */
  beginLog(name: string, signal: AbortSignal): Promise<void>;
  logs(name: string, request: LogRequest): AsyncIterable<ServerLogLine>;
  /** Names of servers about which something happened, until the signal aborts. Null: nobody tells, look at the states. */
  changes(signal: AbortSignal): AsyncIterable<string> | null;
}
