import { describe, expect, it } from 'vitest';
import { NEVER_RAN } from '../service/service-manager.js';
import { parseShow, stateOf, type UnitProperties } from './unit-state.js';

/** As `systemctl show` of systemd 257 printed it for a stopped unit that had run. */
const STOPPED = `Id=left4me-server@one.service
ActiveState=inactive
SubState=dead
Result=success
MainPID=0
ExecMainCode=1
ExecMainStatus=0
ExecMainStartTimestamp=@1795316579
NRestarts=0
InvocationID=24ca7785d7e34d458c50f0b6ab9aa559
ControlGroup=
`;

function unit(change: Partial<UnitProperties> = {}): UnitProperties {
  const [parsed] = parseShow(STOPPED);
  if (parsed === undefined) throw new Error('nothing was parsed');
  return { ...parsed, ...change };
}

describe('the state of a unit', () => {
  it('is read from the blocks of systemctl show', () => {
    const [one, two] = parseShow(`${STOPPED}\n${STOPPED.replace('@one', '@two')}`);
    expect(one).toMatchObject({ Id: 'left4me-server@one.service', ActiveState: 'inactive', NRestarts: '0' });
    expect(two).toMatchObject({ Id: 'left4me-server@two.service' });
  });

  it.each([
    ['active', 'running', 'running'],
    ['activating', 'start', 'starting'],
    ['activating', 'auto-restart', 'starting'],
    ['deactivating', 'stop', 'stopping'],
    ['failed', 'failed', 'failed'],
    ['inactive', 'dead', 'stopped'],
  ])('%s (%s) is %s', (ActiveState, SubState, state) => {
    expect(stateOf(unit({ ActiveState, SubState }), false).state).toBe(state);
  });

  it('is starting when systemd has promised to start it', () => {
    expect(stateOf(unit({ Job: '4711' }), false)).toMatchObject({ state: 'starting', exitCode: null });
  });

  it('has a process and a start while it runs, and no end', () => {
    const state = stateOf(unit({ ActiveState: 'active', MainPID: '4711' }), false);
    const startedAt = '2026-11-22T03:02:59.000Z';
    expect(state).toEqual({ ...NEVER_RAN, state: 'running', pid: 4711, startedAt });
  });

  it.each([
    [{ Result: 'exit-code', ExecMainStatus: '7' }, 7, null, 'it ended with code 7'],
    [{ Result: 'exit-code', ExecMainStatus: '139' }, 139, 'SIGSEGV', 'it was ended by SIGSEGV'],
    [{ Result: 'signal', ExecMainCode: '2', ExecMainStatus: '9' }, 137, 'SIGKILL', 'it was ended by SIGKILL'],
    [{ Result: 'core-dump', ExecMainCode: '3', ExecMainStatus: '6' }, 134, 'SIGABRT', 'it was ended by SIGABRT'],
    [{ Result: 'timeout', ExecMainCode: '2', ExecMainStatus: '9' }, 137, 'SIGKILL', 'it did not end in time'],
    [{ Result: 'oom-kill', ExecMainStatus: '137' }, 137, 'SIGKILL', 'it ran out of memory'],
  ])('failed with %j says why', (change, exitCode, signal, reason) => {
    const state = stateOf(unit({ ActiveState: 'failed', ...change }), false);
    expect(state).toMatchObject({ state: 'failed', exitCode, signal });
    expect(state.reason).toContain(reason);
  });

  it('says that memory was used up where only the control group knows', () => {
    const failed = unit({ ActiveState: 'failed', Result: 'exit-code', ExecMainStatus: '137' });
    expect(stateOf(failed, true).reason).toContain('it ran out of memory');
  });

  it('says that systemd gave up, and that it tries again before', () => {
    const crash = { Result: 'exit-code', ExecMainStatus: '139', NRestarts: '5' };
    expect(stateOf(unit({ ActiveState: 'failed', ...crash }), false).reason).toBe(
      'it was ended by SIGSEGV; it was started 5 times again within a minute, and systemd gave up',
    );
    expect(stateOf(unit({ ActiveState: 'activating', SubState: 'auto-restart', ...crash }), false).reason).toBe(
      'it was ended by SIGSEGV; systemd starts it again',
    );
  });
});
