import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Names one process for ever: a process id alone is reused, after a reboot or in a restarted container even soon. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks since boot, field 22 of /proc/<pid>/stat (proc(5)). */
  startTime: string;
  bootId: string;
}

/** The identity of a living process; null when there is none (a zombie counts as none). */
export async function identify(pid: number): Promise<ProcessIdentity | null> {
  let stat: string;
  try {
    stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return null;
  }
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const startTime = fields[19];
  if (startTime === undefined || fields[0] === 'Z' || fields[0] === 'X') return null;
  return { pid, startTime, bootId: await bootId() };
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  const now = await identify(identity.pid);
  return now !== null && now.startTime === identity.startTime && now.bootId === identity.bootId;
}

/**
 * Ends a process: each signal in turn, with the time it is given, until the process is gone.
 * @returns whether it is gone
 */
export async function endProcess(
  identity: ProcessIdentity,
  steps: readonly { signal: NodeJS.Signals; milliseconds: number }[],
): Promise<boolean> {
  for (const { signal, milliseconds } of steps) {
    if (!(await isAlive(identity))) return true;
    try {
      process.kill(identity.pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
    const deadline = Date.now() + milliseconds;
    while (Date.now() < deadline) {
      if (!(await isAlive(identity))) return true;
      await sleep(20);
    }
  }
  return !(await isAlive(identity));
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
