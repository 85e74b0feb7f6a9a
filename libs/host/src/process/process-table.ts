import { readFile, readdir } from 'node:fs/promises';

/** A process that cannot be mistaken for a later one with the same number. */
export interface ProcessId {
  pid: number;
  /** Clock ticks since boot (field 22 of /proc/<pid>/stat, see proc(5)). */
  startTime: string;
}

export interface ProcessRow extends ProcessId {
  parent: number;
  session: number;
  /** `R`, `S`, `Z` … */
  state: string;
}

/** Changes with every boot of the machine. */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** Null when there is no such process. */
export async function readProcess(pid: number): Promise<ProcessRow | null> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null; // it ended, perhaps while it was read
  }
  // The name, in parentheses, may hold anything: the fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, parent, , session] = fields;
  const startTime = fields[19];
  if (state === undefined || startTime === undefined) return null;
  return { pid, startTime, parent: Number(parent), session: Number(session), state };
}

/** Every process that this one can see. */
export async function listProcesses(): Promise<ProcessRow[]> {
  const pids = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name)).map(Number);
  const rows = await Promise.all(pids.map(readProcess));
  return rows.filter((row) => row !== null);
}

/** True while it exists, also as a zombie: the kernel keeps the first of a pid namespace until all others are gone. */
export async function isAlive(id: ProcessId): Promise<boolean> {
  const row = await readProcess(id.pid);
  return row !== null && row.startTime === id.startTime;
}

/** Sends the signal unless the process is gone or another one has its number. Returns whether it was sent. */
export async function signalProcess(id: ProcessId, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(id))) return false;
  return sendSignal(id.pid, signal);
}

/** `pid` below zero means a whole group. Returns false when there is no such process. */
export function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Arguments of a process; empty for one that is gone or has none. */
export async function readCommandLine(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Direct children. Where the kernel does not list them (CONFIG_PROC_CHILDREN), every process is looked at. */
export async function childrenOf(pid: number): Promise<number[]> {
  try {
    const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return list.trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return (await listProcesses()).filter((row) => row.parent === pid).map((row) => row.pid);
  }
}
