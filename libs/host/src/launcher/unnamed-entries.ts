import { isUtf8 } from 'node:buffer';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DirHandle } from '../overlay/dir-handle.js';
import { hasCode } from '../overlay/durable.js';
import { walkFolder } from './merge-layers.js';

/**
 * Moves each entry whose name is not UTF-8 to the same folder of another tree. No layer has such names (publishing refuses them), so they
 * are the server's own; without this a server's demos and logs that were named after players would be lost.
 */
export async function moveUnnamed(from: string, to: string): Promise<void> {
  const folders = (await walkFolder(from)).filter(({ type }) => type === 'directory').map(({ path }) => path);
  for (const folder of ['', ...folders]) {
    for (const name of await namesIn(join(from, folder))) {
      if (isUtf8(name)) continue;
      await mkdir(join(to, folder), { recursive: true });
      await move(pathOf(join(from, folder), name), pathOf(join(to, folder), name));
    }
  }
}

/** Moving a folder takes the right to write to it, which the server may have taken away. */
async function move(from: Buffer, to: Buffer): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!hasCode(error, 'EACCES')) throw error;
    await (await DirHandle.openToEmpty(from)).close();
    await rename(from, to);
  }
}

function pathOf(folder: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), name]);
}

/** None in a folder that is missing, or that the server closed. */
async function namesIn(folder: string): Promise<Buffer[]> {
  try {
    return await readdir(folder, { encoding: 'buffer' });
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EACCES')) return [];
    throw error;
  }
}
