import { readdir } from 'node:fs/promises';
import type { DirHandle } from './dir-handle.js';
import { ifSwapped } from './tree-entries.js';

/** Bytes of the longest path below a folder, which it closes. Follows no link. */
export async function longestBelow(folder: DirHandle): Promise<number> {
  let longest = 0;
  try {
    for (const entry of await readdir(folder.path, { withFileTypes: true })) {
      let length = Buffer.byteLength(entry.name);
      const child = entry.isDirectory() ? await folder.child(entry.name).catch(ifSwapped) : null;
      const below = child === null ? 0 : await longestBelow(child);
      if (below > 0) length += 1 + below;
      longest = Math.max(longest, length);
    }
    return longest;
  } finally {
    await folder.close();
  }
}
