import { signalOf } from '../process/exit-code.js';
import { NEVER_RAN, type ServiceState } from '../service/service-manager.js';

/** What `systemctl show` tells of a unit (org.freedesktop.systemd1(5)). */
export const PROPERTIES = [
  'Id',
  'ActiveState',
  'SubState',
  'Result',
  'MainPID',
  'ExecMainCode',
  'ExecMainStatus',
  'ExecMainStartTimestamp',
  'NRestarts',
  'InvocationID',
  'ControlGroup',
  'Job',
] as const;
export type UnitProperties = Readonly<Record<(typeof PROPERTIES)[number], string>>;

/** Of a unit between two tries. */
export const STARTS_AGAIN = '; systemd starts it again';

/** How a process ended: `CLD_EXITED`, and `CLD_KILLED` or `CLD_DUMPED` (waitid(2)). */
const EXITED = '1';
const KILLED = new Set(['2', '3']);

/** @param oom what the kernel did last (`left4me-server@.service` records it): systemd itself cannot tell on cgroup v1 */
export function stateOf(unit: UnitProperties, outOfMemory: boolean): ServiceState {
  const exitCode = exitCodeOf(unit);
  const last = {
    ...NEVER_RAN,
    startedAt: startOf(unit),
    exitCode,
    signal: exitCode === null ? null : signalOf(exitCode),
  };
  switch (unit.ActiveState) {
    case 'active':
    case 'reloading':
      return { ...last, state: 'running', pid: Number(unit.MainPID) || null, exitCode: null, signal: null };
    case 'activating':
      return unit.SubState === 'auto-restart' || unit.SubState === 'auto-restart-queued'
        ? { ...last, state: 'starting', reason: `${endOf(unit, exitCode, outOfMemory)}${STARTS_AGAIN}` }
        : { ...last, state: 'starting', pid: Number(unit.MainPID) || null, exitCode: null, signal: null };
    case 'deactivating':
      return { ...last, state: 'stopping', pid: Number(unit.MainPID) || null };
    case 'inactive':
      // systemd has promised to start it, and is busy.
      return unit.Job === '' ? last : { ...last, state: 'starting', exitCode: null, signal: null };
    case 'failed':
      return { ...last, state: 'failed', reason: failureOf(unit, exitCode, outOfMemory) };
    default:
      return last;
  }
}

function failureOf(unit: UnitProperties, exitCode: number | null, outOfMemory: boolean): string {
  const end = endOf(unit, exitCode, outOfMemory);
  const restarts = Number(unit.NRestarts);
  return restarts > 0 ? `${end}; it was started ${restarts} times again within a minute, and systemd gave up` : end;
}

function endOf({ Result }: UnitProperties, exitCode: number | null, outOfMemory: boolean): string {
  if (Result === 'oom-kill' || outOfMemory) return 'it ran out of memory (its limit) and the kernel ended it';
  if (Result === 'timeout') return 'it did not end in time and was killed';
  if (Result === 'resources') return 'systemd could not start it: see its log';
  if (exitCode === null) return `it failed (${Result})`;
  const signal = signalOf(exitCode);
  return signal === null ? `it ended with code ${exitCode}` : `it was ended by ${signal}`;
}

/** As shells count: 128 + signal. Null while it runs, and when it never ran. */
function exitCodeOf({ ExecMainCode, ExecMainStatus }: UnitProperties): number | null {
  if (ExecMainCode === EXITED) return Number(ExecMainStatus);
  return KILLED.has(ExecMainCode) ? 128 + Number(ExecMainStatus) : null;
}

/** `--timestamp=unix` writes `@<seconds>`. */
function startOf({ ExecMainStartTimestamp }: UnitProperties): string | null {
  const seconds = /^@(\d+)$/.exec(ExecMainStartTimestamp)?.[1];
  return seconds === undefined ? null : new Date(Number(seconds) * 1000).toISOString();
}

/** The blocks of `systemctl show`, separated by empty lines. */
export function parseShow(text: string): UnitProperties[] {
  return text
    .split(/\n\n+/)
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const given = new Map(
        block.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
      const of = (name: (typeof PROPERTIES)[number]): string => given.get(name) ?? '';
      return {
        Id: of('Id'),
        ActiveState: of('ActiveState'),
        SubState: of('SubState'),
        Result: of('Result'),
        MainPID: of('MainPID'),
        ExecMainCode: of('ExecMainCode'),
        ExecMainStatus: of('ExecMainStatus'),
        ExecMainStartTimestamp: of('ExecMainStartTimestamp'),
        NRestarts: of('NRestarts'),
        InvocationID: of('InvocationID'),
        ControlGroup: of('ControlGroup'),
        Job: of('Job'),
      };
    });
}
