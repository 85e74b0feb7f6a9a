import { readFile } from 'node:fs/promises';
import type { InstanceFolder } from '../instances/instance-folder.js';
import { hasCode } from '../overlay/durable.js';
import { unitOf } from '../systemd/unit-names.js';
import type { HeldLocks } from './liveness.js';

/** The first process of the server's systemd unit, when that is what holds the instance's lock; null: it is not. */
export async function holdingUnit(folder: InstanceFolder, locks: HeldLocks): Promise<number | null> {
  const pid = await locks.holder(folder.lock());
  if (pid === null) return null;
  try {
    return isInUnit(await readFile(`/proc/${pid}/cgroup`, 'utf8'), unitOf(folder.name)) ? pid : null;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return null; // it has just ended
    throw error;
  }
}

/** Of lines `<number>:<controllers>:<path>` (cgroups(7)). */
export function isInUnit(cgroups: string, unit: string): boolean {
  return cgroups.split('\n').some((line) => line.split(':').slice(2).join(':').split('/').includes(unit));
}
