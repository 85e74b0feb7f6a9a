import { readFile } from 'node:fs/promises';
import { writeFileDurably } from '../overlay/durable.js';
import { parseProcessId } from '../process/command-records.js';
import type { ProcessId } from '../process/process-table.js';

/** run.json: what a supervisor last knew about its server. Believed only as far as the lock and /proc agree. */
export interface RunRecord {
  bootId: string;
  generation: number;
  state: 'starting' | 'running' | 'ended';
  /** ISO 8601, UTC. */
  startedAt: string;
  supervisor: ProcessId;
  /** First of the server's session; in `namespaces` it stays outside and waits for all inside. */
  launcher: ProcessId | null;
  /** server-init.sh; in `namespaces` it is gone only after every other process inside. */
  init: ProcessId | null;
  server: ProcessId | null;
  endedAt: string | null;
  exitCode: number | null;
  signal: string | null;
  /** It ended because somebody stopped it. */
  requested: boolean;
  reason: string | null;
}

export async function writeRunRecord(path: string, record: RunRecord): Promise<void> {
  await writeFileDurably(path, `${JSON.stringify(record, null, 2)}\n`);
}

/** Null when there is none, or none that can be read. */
export async function readRunRecord(path: string): Promise<RunRecord | null> {
  try {
    return parseRunRecord(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

/** Who is stopping a server, so that a stop whose worker died does not look like one that goes on. */
export interface StopRecord {
  bootId: string;
  by: ProcessId;
}

export async function readStopRecord(path: string): Promise<StopRecord | null> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || !('bootId' in value) || !('by' in value)) return null;
  const by = parseProcessId(value.by);
  return by === null || typeof value.bootId !== 'string' ? null : { bootId: value.bootId, by };
}

function parseRunRecord(value: unknown): RunRecord | null {
  if (typeof value !== 'object' || value === null) return null;
  const fields: Record<string, unknown> = Object.fromEntries(Object.entries(value));
  const supervisor = parseProcessId(fields.supervisor);
  const { bootId, generation, state, startedAt } = fields;
  if (supervisor === null || typeof bootId !== 'string' || typeof generation !== 'number') return null;
  if (state !== 'starting' && state !== 'running' && state !== 'ended') return null;
  return {
    bootId,
    generation,
    state,
    startedAt: typeof startedAt === 'string' ? startedAt : new Date(0).toISOString(),
    supervisor,
    launcher: parseProcessId(fields.launcher),
    init: parseProcessId(fields.init),
    server: parseProcessId(fields.server),
    endedAt: typeof fields.endedAt === 'string' ? fields.endedAt : null,
    exitCode: typeof fields.exitCode === 'number' ? fields.exitCode : null,
    signal: typeof fields.signal === 'string' ? fields.signal : null,
    requested: fields.requested === true,
    reason: typeof fields.reason === 'string' ? fields.reason : null,
  };
}
