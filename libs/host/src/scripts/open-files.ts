import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { ScriptStopped } from '../errors.js';
import { hasCode } from '../overlay/durable.js';
import type { ScriptLimits } from './script-limits.js';

/** What processes hold open that has no name any more: no look at folders finds it. */
export interface UnnamedFiles {
  /** Removed while open. */
  diskBytes: number;
  /** Made by memfd_create(2), mapped or not. */
  memoryBytes: number;
}

/** Throws `ScriptStopped` when these processes have too much open to be looked at. Not asynchronous: see `checkProcesses`. */
export function unnamedFiles(pids: readonly number[], { openFiles }: ScriptLimits): UnnamedFiles {
  const found = { diskBytes: 0, memoryBytes: 0 };
  const seen = new Set<string>();
  let open = 0;
  for (const pid of pids) {
    const folder = `/proc/${pid}/fd`;
    const names = ifThere(() => readdirSync(folder)) ?? [];
    if ((open += names.length) > openFiles) throw new ScriptStopped(`it has more than ${openFiles} files open`);
    for (const name of names) {
      const stats = ifThere(() => statSync(`${folder}/${name}`));
      if (!stats?.isFile() || stats.nlink > 0) continue;
      const file = `${stats.dev}:${stats.ino}`;
      if (seen.has(file)) continue; // a child has what its parent had open
      seen.add(file);
      const inMemory = ifThere(() => readlinkSync(`${folder}/${name}`))?.startsWith('/memfd:');
      found[inMemory ? 'memoryBytes' : 'diskBytes'] += stats.blocks * 512;
    }
  }
  return found;
}

/** Null when the process or its file is gone, or forbids that it is looked at (prctl(2), PR_SET_DUMPABLE). */
function ifThere<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) return null;
    throw error;
  }
}
