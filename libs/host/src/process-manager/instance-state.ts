import type { InstanceFolder } from '../instances/instance-folder.js';
import { isAlive } from '../process/process-table.js';
import { NEVER_RAN, type ServiceState } from '../service/service-manager.js';
import { holdingUnit } from './held-by-unit.js';
import { HeldLocks } from './liveness.js';
import { readRunRecord, readStopRecord, type RunRecord } from './run-file.js';

/**
 * The lock tells whether a server lives, run.json and stop.json tell the rest. Neither a reused process number nor a
 * reboot is mistaken for a running server, since neither holds the lock.
 */
export async function readState(
  folder: InstanceFolder,
  locks: HeldLocks,
  bootId: string,
  isSecondLook = false,
): Promise<ServiceState> {
  const [record, stop] = await Promise.all([readRunRecord(folder.runFile()), readStopRecord(folder.stopFile())]);
  const stopOfThisBoot = stop !== null && stop.bootId === bootId ? stop : null;
  if (!(await locks.isHeld(folder.lock(), record?.supervisor.pid ?? null))) {
    return record === null ? NEVER_RAN : freeState(record, bootId, stopOfThisBoot !== null);
  }
  if (record === null || record.bootId !== bootId || !(await isAlive(record.supervisor))) {
    // It may have ended since the locks were read: look again before believing that somebody else holds it.
    const unit = await holdingUnit(folder, locks);
    if (unit !== null) return { ...NEVER_RAN, state: 'running', pid: unit };
    if (!isSecondLook) return readState(folder, await HeldLocks.read(), bootId, true);
    return heldByAnother(record, bootId);
  }
  if (record.state === 'ended') return freeState(record, bootId, false); // about to let go
  const stopping = stopOfThisBoot !== null && record.state === 'running' && (await isAlive(stopOfThisBoot.by));
  return { ...lastRun(record), state: stopping ? 'stopping' : record.state, pid: record.server?.pid ?? null };
}

/** By a new supervisor that has not written yet, or by what a killed one left behind. */
async function heldByAnother(record: RunRecord | null, bootId: string): Promise<ServiceState> {
  const wasRunning = record !== null && record.bootId === bootId && record.state !== 'ended';
  if (wasRunning && record.server !== null && (await isAlive(record.server))) {
    return {
      ...lastRun(record),
      state: 'failed',
      reason: 'its supervisor was killed, processes of the server are left',
    };
  }
  return { ...NEVER_RAN, state: 'starting' };
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
  return { state: 'stopped', pid: null, startedAt, exitCode, signal, reason: null, usage: null };
}

function endReason(record: RunRecord): string {
  if (record.reason !== null) return record.reason;
  return record.signal === null ? `it ended with code ${record.exitCode}` : `it was ended by ${record.signal}`;
}
