/** Default of `LaunchPlan.settleMs`. */
export const SETTLE_MS = 750;

/** What a supervisor needs to know; travels as JSON in its arguments and holds no secret. */
export interface LaunchPlan {
  root: string;
  name: string;
  generation: number;
  isolation: 'namespaces' | 'copy';
  /** Of the server inside its namespace; never 0. */
  uid: number;
  /** overlayfs's lowerdir, relative to root, topmost first; '-' for a copy. */
  layers: string;
  /** The server's program and its arguments; the program relative to its tree. */
  command: string[];
  /** A program that ends within so many milliseconds has not started: a wrong file, a port that is taken. */
  settleMs: number;
}

/** srcds starts in the top folder of its tree. The library owns the first arguments (design §7 refuses them elsewhere). */
export function serverCommand(port: number, extra: readonly string[]): string[] {
  const own = ['-game', 'left4dead2', '-norestart', '-strictportbind', '-ip', '0.0.0.0', '-port', String(port)];
  return ['./srcds_run', ...own, ...extra];
}

/** The port in what `serverCommand` made. */
export function portOf({ command }: LaunchPlan): number {
  return Number(command[command.indexOf('-port') + 1]);
}

/** The arguments of launch-server.sh. */
export function launcherArguments(plan: Omit<LaunchPlan, 'settleMs'>): string[] {
  return [plan.isolation, String(plan.uid), plan.root, plan.name, plan.layers, ...plan.command];
}

/** Throws when it is not what `JSON.stringify` made of a plan. */
export function parseLaunchPlan(text: string): LaunchPlan {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw new Error('the plan is not an object');
  const { root, name, generation, isolation, uid, layers, command, settleMs }: Record<string, unknown> =
    Object.fromEntries(Object.entries(value));
  if (typeof root !== 'string' || typeof name !== 'string' || typeof layers !== 'string')
    throw new Error('text missing');
  if (typeof generation !== 'number' || typeof uid !== 'number' || typeof settleMs !== 'number')
    throw new Error('number missing');
  if (isolation !== 'namespaces' && isolation !== 'copy') throw new Error('unknown isolation');
  if (!Array.isArray(command) || !command.every((part) => typeof part === 'string')) throw new Error('command missing');
  return { root, name, generation, isolation, uid, layers, command, settleMs };
}
