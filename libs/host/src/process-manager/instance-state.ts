import type { InstanceFolder } from '../instances/instance-folder.js';
import { isAlive } from '../process/process-table.js';
import type { ServiceState } from '../service/service-manager.js';
import type { HeldLocks } from './liveness.js';
import { readRunRecord, readStopRecord, type RunRecord } from './run-file.js';

const NEVER_RAN: ServiceState = {
  state: 'stopped',
  pid: null,
  startedAt: null,
  exitCode: null,
  signal: null,
  reason: null,
};

/**
 * The lock tells whether a server lives, run.json and stop.json tell the rest. Neither a reused process number nor a
 * reboot is mistaken for a running server, since neither holds the lock.
 */
export async function readState(folder: InstanceFolder, locks: HeldLocks, bootId: string): Promise<ServiceState> {
  const [record, stop] = await Promise.all([readRunRecord(folder.runFile()), readStopRecord(folder.stopFile())]);
  const stopOfThisBoot = stop !== null && stop.bootId === bootId ? stop : null;
  if (await locks.isHeld(folder.lock(), record?.supervisor.pid ?? null)) {
    const state = await heldState(record, bootId);
    const stopping = stopOfThisBoot !== null && state.pid !== null && (await isAlive(stopOfThisBoot.by));
    return stopping ? { ...state, state: 'stopping' } : state;
  }
  return record === null ? NEVER_RAN : freeState(record, bootId, stopOfThisBoot !== null);
}

/** Somebody holds the lock: the server's supervisor, or what an ended one left behind. */
async function heldState(record: RunRecord | null, bootId: string): Promise<ServiceState> {
  const starting: ServiceState = { ...NEVER_RAN, state: 'starting' };
  if (record === null || record.bootId !== bootId) return starting;
  const own = await isAlive(record.supervisor);
  if (!own) {
    const left = record.server !== null && (await isAlive(record.server));
    if (!left || record.state === 'ended') return starting; // a new supervisor that has not written yet
    return {
      ...lastRun(record),
      state: 'failed',
      reason: 'its supervisor was killed, processes of the server are left',
    };
  }
  if (record.state === 'ended') return freeState(record, bootId, false);
  return { ...lastRun(record), state: record.state, pid: record.server?.pid ?? null };
}

function freeState(record: RunRecord, bootId: string, stopWanted: boolean): ServiceState {
  const last = lastRun(record);
  if (record.state === 'ended') {
    const failed = !record.requested && record.exitCode !== 0;
    return { ...last, state: failed ? 'failed' : 'stopped', reason: failed ? endReason(record) : null };
  }
  if (record.bootId !== bootId) return { ...last, state: 'stopped', reason: 'the machine was restarted' };
  if (stopWanted) return { ...last, state: 'stopped' };
  return { ...last, state: 'failed', reason: 'its supervisor was killed, and the server with it' };
}

function lastRun(record: RunRecord): ServiceState {
  const { startedAt, exitCode, signal } = record;
  return { state: 'stopped', pid: null, startedAt, exitCode, signal, reason: null };
}

function endReason(record: RunRecord): string {
  if (record.reason !== null) return record.reason;
  return record.signal === null ? `it ended with code ${record.exitCode}` : `it was ended by ${record.signal}`;
}
