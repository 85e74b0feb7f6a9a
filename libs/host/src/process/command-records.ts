import { randomUUID } from 'node:crypto';
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
  /** In the environment of its processes, also of those in a session of their own: what runs on a terminal is in one. */
  mark: string;
}

const GONE_WITHIN_MS = 10_000;
const MARK = 'LEFT4ME_COMMAND';

/** Where commands run without a process namespace: what was started, so that leftovers can be ended and proved gone. */
export class CommandRecords {
  constructor(private readonly folder: string) {}

  /** An environment for a command, by which its processes can be found, and what is to be recorded of it. */
  mark(env: Readonly<Record<string, string>>): { env: Record<string, string>; mark: string } {
    const mark = randomUUID();
    return { env: { ...env, [MARK]: mark }, mark };
  }

  /** Records the group whose first process is `pid`; returns what ends what is left of it, then removes the record. */
  async add(pid: number, mark: string): Promise<() => Promise<void>> {
    const [bootId, owner, leader] = await Promise.all([readBootId(), readProcess(process.pid), readProcess(pid)]);
    if (owner === null || leader === null) return () => Promise.resolve();
    await mkdir(this.folder, { recursive: true });
    const path = join(this.folder, `${pid}.json`);
    const record: CommandRecord = {
      bootId,
      owner: { pid: owner.pid, startTime: owner.startTime },
      leader: { pid, startTime: leader.startTime },
      mark,
    };
    await writeFileDurably(path, JSON.stringify(record));
    return async () => {
      if (await endCommand(record)) await rm(path, { force: true });
    };
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
        if (!(await endCommand(record))) throw new Error(`processes of session ${record.leader.pid} do not end`);
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

/** Kills every process of the command, wherever it went. Returns whether all are gone. */
async function endCommand({ leader, mark }: CommandRecord): Promise<boolean> {
  if (!(await endSession(leader))) return false;
  return waitUntil(async () => {
    const rows = (await listProcesses()).filter((row) => row.state !== 'Z' && row.pid !== process.pid);
    const marked = await Promise.all(rows.map(async (row) => (await hasMark(row.pid, mark)) && row));
    const found = marked.filter((row) => row !== false);
    for (const row of found) sendSignal(row.pid, 'SIGKILL');
    return found.length === 0;
  }, GONE_WITHIN_MS);
}

/** False for a process that is gone, or another user's. */
async function hasMark(pid: number, mark: string): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  return environment.split('\0').includes(`${MARK}=${mark}`);
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
  const mark = 'mark' in value && typeof value.mark === 'string' ? value.mark : '(none)'; // written by an older version
  return owner === null || leader === null ? null : { bootId: value.bootId, owner, leader, mark };
}

/** Null for anything else than what JSON made of a `ProcessId`. */
export function parseProcessId(value: unknown): ProcessId | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!('pid' in value) || typeof value.pid !== 'number') return null;
  if (!('startTime' in value) || typeof value.startTime !== 'string') return null;
  return { pid: value.pid, startTime: value.startTime };
}
