import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InstanceFolder } from '../instances/instance-folder.js';
import { hasCode } from '../overlay/durable.js';
import type { UnitProperties } from './unit-state.js';

/**
 * What programs/systemd/after-server.sh writes when a server's unit ends: `<invocation id> oom` when the kernel killed
 * something of it for want of memory. Where memory is counted by cgroup v1, systemd itself does not notice that.
 */
export class EndRecords {
  constructor(private readonly root: string) {}

  /** Whether the unit's last run ended so. */
  async outOfMemory(name: string, { InvocationID, ActiveState }: UnitProperties): Promise<boolean> {
    if (ActiveState === 'active' || InvocationID === '') return false;
    try {
      const text = await readFile(join(new InstanceFolder(this.root, name).path, 'end'), 'utf8');
      return text.trim() === `${InvocationID} oom`;
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return false;
      throw error;
    }
  }
}
