import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Usage } from '../host.js';
import { hasCode } from '../overlay/durable.js';

const MOUNT = '/sys/fs/cgroup';
/** cgroup v1 writes "no limit" as the largest number of pages. */
const NO_LIMIT = 2 ** 62;

/**
 * What a unit's control group uses and may use: cgroup v2 (https://docs.kernel.org/admin-guide/cgroup-v2.html), or v1 where
 * the machine still counts by that. Null when the group is gone.
 */
export async function readUsage(controlGroup: string): Promise<Usage | null> {
  return (await readV2(controlGroup)) ?? readV1(controlGroup);
}

async function readV2(group: string): Promise<Usage | null> {
  const read = (file: string): Promise<string | null> => readIfAny(join(MOUNT, group, file));
  const [current, stat, cpu, memoryMax, cpuMax, tasks, tasksMax] = await Promise.all(
    ['memory.current', 'memory.stat', 'cpu.stat', 'memory.max', 'cpu.max', 'pids.current', 'pids.max'].map(read),
  );
  if (current == null) return null;
  const [quota = 'max', period = '100000'] = (cpuMax ?? '').trim().split(' ');
  return {
    memoryBytes: Number(current) - (valueOf(stat, 'inactive_file') ?? 0),
    memoryLimitBytes: limit(memoryMax),
    cpuSeconds: (valueOf(cpu, 'usage_usec') ?? 0) / 1e6,
    cpuLimitPercent: quota === 'max' ? null : (Number(quota) / Number(period)) * 100,
    tasks: count(tasks),
    tasksLimit: limit(tasksMax),
  };
}

async function readV1(group: string): Promise<Usage | null> {
  const read = (controller: string, file: string): Promise<string | null> =>
    readIfAny(join(MOUNT, controller, group, file));
  const [usage, stat, memoryMax, cpu, hybridCpu, quota, period, tasks, tasksMax] = await Promise.all([
    read('memory', 'memory.usage_in_bytes'),
    read('memory', 'memory.stat'),
    read('memory', 'memory.limit_in_bytes'),
    read('cpuacct', 'cpuacct.usage'),
    read('unified', 'cpu.stat'), // where cpuacct is apart from cpu, systemd leaves it alone
    read('cpu', 'cpu.cfs_quota_us'),
    read('cpu', 'cpu.cfs_period_us'),
    read('pids', 'pids.current'),
    read('pids', 'pids.max'),
  ]);
  if (usage === null) return null;
  const microseconds = Number(quota ?? -1);
  return {
    memoryBytes: Number(usage) - (valueOf(stat, 'total_inactive_file') ?? 0),
    memoryLimitBytes: limit(memoryMax),
    cpuSeconds: cpu === null ? (valueOf(hybridCpu, 'usage_usec') ?? 0) / 1e6 : Number(cpu) / 1e9,
    cpuLimitPercent: microseconds < 0 ? null : (microseconds / Number(period ?? 100_000)) * 100,
    tasks: count(tasks),
    tasksLimit: limit(tasksMax),
  };
}

function count(text: string | null | undefined): number | null {
  return text == null ? null : Number(text);
}

function limit(text: string | null | undefined): number | null {
  const number = Number(text ?? Number.NaN); // `max` is none
  return Number.isFinite(number) && number < NO_LIMIT ? number : null;
}

/** Of lines `<key> <value>`. */
function valueOf(text: string | null | undefined, key: string): number | null {
  const value = new RegExp(`^${key} (\\d+)$`, 'm').exec(text ?? '')?.[1];
  return value === undefined ? null : Number(value);
}

async function readIfAny(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENODEV', 'EOPNOTSUPP')) return null;
    throw error;
  }
}
