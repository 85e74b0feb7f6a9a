import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from '../overlay/durable.js';
import { listProcesses, readBootId, readProcess, sendSignal, type ProcessId } from './process-table.js';
import { waitUntil } from './pause.js';

interface CommandRecord {
  bootId: string;
  /** The process that ran the command. */
  owner: ProcessId;
  /** First of the command's session and group. */
  leader: ProcessId;
}

const GONE_WITHIN_MS = 10_000;

/** Where commands run without a process namespace: what was started, so that leftovers can be ended and proved gone. */
export class CommandRecords {
  constructor(private readonly folder: string) {}

  /** Records the group whose first process is `pid`; returns what removes the record. */
  async add(pid: number): Promise<() => Promise<void>> {
    const [bootId, owner, leader] = await Promise.all([readBootId(), readProcess(process.pid), readProcess(pid)]);
    if (owner === null || leader === null) return () => Promise.resolve();
    await mkdir(this.folder, { recursive: true });
    const path = join(this.folder, `${pid}.json`);
    const record: CommandRecord = {
      bootId,
      owner: { pid: owner.pid, startTime: owner.startTime },
      leader: { pid, startTime: leader.startTime },
    };
    await writeFileDurably(path, JSON.stringify(record));
    return () => rm(path, { force: true });
  }

  /** Ends every command whose owner is gone; resolves when none of their processes exists any more. */
  async proveGone(): Promise<void> {
    const bootId = await readBootId();
    for (const name of await this.names()) {
      const path = join(this.folder, name);
      const record = parseRecord(await readFile(path, 'utf8').catch(() => ''));
      if (record !== null && record.bootId === bootId) {
        const owner = await readProcess(record.owner.pid);
        if (owner?.startTime === record.owner.startTime && owner.state !== 'Z') continue;
        if (!(await endSession(record.leader))) throw new Error(`processes of session ${record.leader.pid} do not end`);
      }
      await rm(path, { force: true });
    }
  }

  private async names(): Promise<string[]> {
    const names = await readdir(this.folder).catch(() => []);
    return names.filter((name) => /^[0-9]+\.json$/.test(name));
  }
}

/**
 * Kills every process of the session that `leader` began. A session's number is not given again while one of its members
 * lives, so members are ours unless a *leader* with another start time has the number. Returns whether all are gone.
 */
export async function endSession(leader: ProcessId): Promise<boolean> {
  return waitUntil(async () => {
    const members = (await listProcesses()).filter((row) => row.session === leader.pid && row.state !== 'Z');
    const reused = members.some((row) => row.pid === leader.pid && row.startTime !== leader.startTime);
    if (reused || members.length === 0) return true;
    for (const row of members) sendSignal(row.pid, 'SIGKILL');
    return false;
  }, GONE_WITHIN_MS);
}

function parseRecord(text: string): CommandRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // torn by a power cut: that boot's processes are gone
  }
  if (typeof value !== 'object' || value === null) return null;
  if (!('bootId' in value) || typeof value.bootId !== 'string' || !('owner' in value) || !('leader' in value))
    return null;
  const owner = parseProcessId(value.owner);
  const leader = parseProcessId(value.leader);
  return owner === null || leader === null ? null : { bootId: value.bootId, owner, leader };
}

/** Null for anything else than what JSON made of a `ProcessId`. */
export function parseProcessId(value: unknown): ProcessId | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!('pid' in value) || typeof value.pid !== 'number') return null;
  if (!('startTime' in value) || typeof value.startTime !== 'string') return null;
  return { pid: value.pid, startTime: value.startTime };
}
