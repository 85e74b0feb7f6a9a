import { readFile, readdir } from 'node:fs/promises';

interface Row {
  pid: number;
  parent: number;
  /** Ticks since boot: with the pid, names the process for ever. */
  startTime: string;
  command: string;
}

/** Every process below one, as it is now: children, theirs, and so on. */
export async function descendants(pid: number): Promise<Row[]> {
  const rows = await living();
  const found: Row[] = [];
  for (const parents = [pid]; parents.length > 0;) {
    const parent = parents.shift();
    for (const row of rows) {
      if (row.parent !== parent) continue;
      found.push(row);
      parents.push(row.pid);
    }
  }
  return found;
}

/** Of these processes, those that still live. */
export async function survivors(of: readonly Row[]): Promise<Row[]> {
  const rows = await living();
  return rows.filter((row) => of.some(({ pid, startTime }) => row.pid === pid && row.startTime === startTime));
}

/** A dead process that nobody has collected counts as gone. */
async function living(): Promise<Row[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const rows = await Promise.all(names.map(readRow));
  return rows.filter((row) => row !== null);
}

async function readRow(name: string): Promise<Row | null> {
  try {
    const [stat, command] = await Promise.all([
      readFile(`/proc/${name}/stat`, 'utf8'),
      readFile(`/proc/${name}/cmdline`, 'utf8'),
    ]);
    // proc(5): the command in parentheses may itself hold spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return null;
    const [, parent = '', startTime = ''] = [fields[0], fields[1], fields[19]];
    return { pid: Number(name), parent: Number(parent), startTime, command: command.replaceAll('\0', ' ') };
  } catch {
    return null; // it ended while it was looked at
  }
}
