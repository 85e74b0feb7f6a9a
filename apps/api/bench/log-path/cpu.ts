import { readdir, readFile } from 'node:fs/promises';

/** Of the kernel's clock in /proc, which is 100 Hz for programs on every architecture (USER_HZ). */
const TICKS_PER_SECOND = 100;

interface Times {
  pid: number;
  parent: number;
  /** CPU seconds of the process itself. */
  own: number;
  /** Of those of its children that have ended and were waited for. */
  ofEnded: number;
}

/** CPU seconds that a process itself has used, all its threads, user and system. */
export async function ownCpu(pid: number): Promise<number> {
  const times = await timesOf(pid);
  if (!times) throw new Error(`process ${pid} is gone`);
  return times.own;
}

/** CPU seconds of a process and everything it has started. */
export async function treeCpu(pid: number): Promise<number> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const all = (await Promise.all(names.map((name) => timesOf(Number(name))))).filter((times) => times !== null);
  const tree = (root: number): number => {
    const itself = all.filter((times) => times.pid === root);
    const children = all.filter((times) => times.parent === root);
    return sum(itself.map(({ own, ofEnded }) => own + ofEnded)) + sum(children.map((child) => tree(child.pid)));
  };
  return tree(pid);
}

/** From /proc/<pid>/stat, see proc(5); null: there is no such process. */
async function timesOf(pid: number): Promise<Times | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The name, in brackets, may hold anything; after it the fields are numbers, from the third on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  const seconds = (a: number, b: number) => (field(a) + field(b)) / TICKS_PER_SECOND;
  return { pid, parent: field(4), own: seconds(14, 15), ofEnded: seconds(16, 17) };
}

const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
