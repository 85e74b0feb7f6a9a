import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { ScriptStopped } from '../errors.js';
import { ifThere } from './if-there.js';
import { mappingsOf } from './mappings.js';
import type { ScriptLimits } from './script-limits.js';

/** What processes hold open, or have mapped, that has no name any more: no look at folders finds it. */
export interface UnnamedFiles {
  /** Removed meanwhile. */
  diskBytes: number;
  /** Made by memfd_create(2), or by processes that share memory without a file. */
  memoryBytes: number;
}

/**
 * Bytes by inode, each once: a child has what its parent had. Without devices, since btrfs has others in mappings than stat(2) tells;
 * each kind is of one filesystem.
 */
type Found = Record<keyof UnnamedFiles, Map<number, number>>;

/** Throws `ScriptStopped` when these processes have too much open, or mapped, to be looked at. Not asynchronous: see `checkProcesses`. */
export function unnamedFiles(pids: readonly number[], limits: ScriptLimits): UnnamedFiles {
  const [open, mapped] = [openFiles(pids, limits), mappedFiles(pids, limits)];
  // Of what is open, the size is known.
  const bytes = (kind: keyof UnnamedFiles): number =>
    [...new Map([...mapped[kind], ...open[kind]]).values()].reduce((sum, size) => sum + size, 0);
  return { diskBytes: bytes('diskBytes'), memoryBytes: bytes('memoryBytes') };
}

function openFiles(pids: readonly number[], limits: ScriptLimits): Found {
  const found: Found = { diskBytes: new Map(), memoryBytes: new Map() };
  let open = 0;
  for (const pid of pids) {
    const folder = `/proc/${pid}/fd`;
    const names = ifThere(() => readdirSync(folder)) ?? [];
    if ((open += names.length) > limits.openFiles) {
      throw new ScriptStopped(`it has more than ${limits.openFiles} files open`);
    }
    for (const name of names) {
      const stats = ifThere(() => statSync(`${folder}/${name}`));
      if (!stats?.isFile() || stats.nlink > 0) continue;
      const inMemory = ifThere(() => readlinkSync(`${folder}/${name}`))?.startsWith('/memfd:');
      found[inMemory ? 'memoryBytes' : 'diskBytes'].set(stats.ino, stats.blocks * 512);
    }
  }
  return found;
}

/** Up to where each is mapped: what it has beyond that, nobody can tell. */
function mappedFiles(pids: readonly number[], limits: ScriptLimits): Found {
  const found: Found = { diskBytes: new Map(), memoryBytes: new Map() };
  let mappings = 0;
  for (const pid of pids) {
    for (const { removed, path, inode, end } of mappingsOf(pid)) {
      if (++mappings > limits.mappings)
        throw new ScriptStopped(`it maps more than ${limits.mappings} pieces of memory`);
      if (!removed) continue;
      const files = found[/^\/(?:memfd:|dev\/zero$|SYSV)/.test(path) ? 'memoryBytes' : 'diskBytes'];
      files.set(inode, Math.max(end, files.get(inode) ?? 0));
    }
  }
  return found;
}
