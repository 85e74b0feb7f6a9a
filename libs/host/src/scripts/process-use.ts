import { readdirSync, readFileSync } from 'node:fs';
import { hasCode } from '../overlay/durable.js';
import { ScriptStopped } from '../errors.js';
import { unnamedFiles } from './open-files.js';
import { type ScriptLimits, told } from './script-limits.js';

interface Process {
  parent: number;
  threads: number;
  ownBytes: number;
  sharedBytes: number;
}

/**
 * Throws `ScriptStopped` when the processes that descend from `root` are too many, use too much memory, or hold too much open that no
 * folder has. What a script leaves behind still descends: its process namespace's first process takes it in.
 */
export function checkProcesses(root: number, limits: ScriptLimits): void {
  const { tasks, memoryBytes, diskBytes } = limits;
  const use = useBelow(root);
  if (use.tasks > tasks) throw new ScriptStopped(`it runs more than ${tasks} processes`);
  const unnamed = unnamedFiles(use.pids, limits);
  // What is mapped of an unnamed one is shared memory, too.
  const memory = use.ownBytes + Math.max(use.sharedBytes, unnamed.memoryBytes);
  if (memory > memoryBytes) throw new ScriptStopped(`it uses more than ${told(memoryBytes)} of memory`);
  if (unnamed.diskBytes <= diskBytes) return;
  throw new ScriptStopped(`it has written more than ${told(diskBytes)} to files that it has removed and not closed`);
}

/** Throws `ScriptStopped` when too little of the machine's memory is available, whoever uses it. Cheap. */
export function checkAvailableMemory({ memoryReserveBytes }: ScriptLimits): void {
  const available = numberIn(readFileSync('/proc/meminfo', 'utf8'), 'MemAvailable') * 1024;
  if (available >= memoryReserveBytes) return;
  const must = `${told(memoryReserveBytes)} must stay so`;
  throw new ScriptStopped(`the machine's memory is almost full: ${told(available)} are available, and ${must}`);
}

/** Not asynchronous: /proc answers at once, and a turn of the event loop for each process would give a fork bomb seconds. */
function useBelow(root: number): { pids: number[]; tasks: number; ownBytes: number; sharedBytes: number } {
  const processes = new Map<number, Process>();
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/.test(name)) continue;
    const found = readStatus(`/proc/${name}/status`);
    if (found !== null) processes.set(Number(name), found);
  }
  const inside = new Map<number, boolean>([[root, true]]);
  const belongs = (pid: number): boolean => {
    const known = inside.get(pid);
    if (known !== undefined) return known;
    inside.set(pid, false); // parents read at different moments may form a ring
    const found = processes.get(pid);
    const belonging = found !== undefined && belongs(found.parent);
    inside.set(pid, belonging);
    return belonging;
  };
  const use = { pids: new Array<number>(), tasks: 0, ownBytes: 0, sharedBytes: 0 };
  for (const [pid, { threads, ownBytes, sharedBytes }] of processes) {
    if (!belongs(pid)) continue;
    use.pids.push(pid);
    use.tasks += threads;
    use.ownBytes += ownBytes;
    use.sharedBytes += sharedBytes;
  }
  return use;
}

/** See proc(5). Memory: without file contents, which the kernel may drop. Null: the process is gone. */
function readStatus(path: string): Process | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return null;
    throw error;
  }
  const field = (name: string): number => numberIn(text, name);
  return {
    parent: field('PPid'),
    threads: field('Threads'),
    ownBytes: (field('RssAnon') + field('VmSwap')) * 1024,
    sharedBytes: field('RssShmem') * 1024,
  };
}

function numberIn(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(text)?.[1] ?? 0);
}
