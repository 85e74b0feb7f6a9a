import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Usage } from '../host.js';
import { hasCode } from '../overlay/durable.js';

/** cgroup v1 writes "no limit" as the largest number of pages. */
const NO_LIMIT = 2 ** 62;

/** The kernel's accounts of the machine's control groups. */
export class ControlGroups {
  constructor(private readonly mount = '/sys/fs/cgroup') {}

  /**
   * What a unit's control group uses and may use: cgroup v2 (https://docs.kernel.org/admin-guide/cgroup-v2.html), or v1
   * where the machine still counts by that. Null when the group is gone. Synchronous: the kernel answers from memory in
   * microseconds, and for fifty servers asynchronous reads cost ten times the processor time.
   */
  usage(controlGroup: string): Usage | null {
    const unified = existsSync(join(this.mount, 'cgroup.controllers'));
    return unified ? this.readV2(controlGroup) : this.readV1(controlGroup);
  }

  /** What the kernel has refused a unit since its group was made: how many processes, and how many it has ended for want of memory. */
  refusals(controlGroup: string): { processes: number; outOfMemory: number } {
    const unified = existsSync(join(this.mount, 'cgroup.controllers'));
    const read = (controller: string, file: string, key: string): number =>
      valueOf(readIfAny(join(this.mount, unified ? '' : controller, controlGroup, file)), key) ?? 0;
    return {
      processes: read('pids', 'pids.events', 'max'),
      outOfMemory: read('memory', unified ? 'memory.events' : 'memory.oom_control', 'oom_kill'),
    };
  }

  private readV2(group: string): Usage | null {
    const read = (file: string): string | null => readIfAny(join(this.mount, group, file));
    const current = read('memory.current');
    if (current === null) return null;
    const [quota = 'max', period = '100000'] = (read('cpu.max') ?? '').trim().split(' ');
    return {
      memoryBytes: Number(current) - (valueOf(read('memory.stat'), 'inactive_file') ?? 0),
      memoryLimitBytes: limit(read('memory.max')),
      cpuSeconds: (valueOf(read('cpu.stat'), 'usage_usec') ?? 0) / 1e6,
      cpuLimitPercent: quota === 'max' ? null : (Number(quota) / Number(period)) * 100,
      tasks: count(read('pids.current')),
      tasksLimit: limit(read('pids.max')),
    };
  }

  private readV1(group: string): Usage | null {
    const read = (controller: string, file: string): string | null =>
      readIfAny(join(this.mount, controller, group, file));
    const usage = read('memory', 'memory.usage_in_bytes');
    if (usage === null) return null;
    const nanoseconds = read('cpuacct', 'cpuacct.usage');
    const microseconds = Number(read('cpu', 'cpu.cfs_quota_us') ?? -1);
    return {
      memoryBytes: Number(usage) - (valueOf(read('memory', 'memory.stat'), 'total_inactive_file') ?? 0),
      memoryLimitBytes: limit(read('memory', 'memory.limit_in_bytes')),
      // Where cpuacct is apart from cpu, systemd leaves it alone.
      cpuSeconds:
        nanoseconds === null
          ? (valueOf(read('unified', 'cpu.stat'), 'usage_usec') ?? 0) / 1e6
          : Number(nanoseconds) / 1e9,
      cpuLimitPercent:
        microseconds < 0 ? null : (microseconds / Number(read('cpu', 'cpu.cfs_period_us') ?? 100_000)) * 100,
      tasks: count(read('pids', 'pids.current')),
      tasksLimit: limit(read('pids', 'pids.max')),
    };
  }
}

function count(text: string | null): number | null {
  return text === null ? null : Number(text);
}

function limit(text: string | null): number | null {
  const number = Number(text ?? Number.NaN); // `max` is none
  return Number.isFinite(number) && number < NO_LIMIT ? number : null;
}

/** Of lines `<key> <value>`. */
function valueOf(text: string | null, key: string): number | null {
  const value = new RegExp(`^${key} (\\d+)$`, 'm').exec(text ?? '')?.[1];
  return value === undefined ? null : Number(value);
}

function readIfAny(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENODEV', 'EOPNOTSUPP')) return null;
    throw error;
  }
}
