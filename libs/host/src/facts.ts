import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileDurably } from './overlay/durable.js';

/** Machine-id(5); on a machine without one, our own, kept below the root. */
export async function readMachineId(root: string): Promise<string> {
  const own = join(root, 'machine-id');
  for (const path of ['/etc/machine-id', own]) {
    const id = (await readFile(path, 'utf8').catch(() => '')).trim();
    if (/^[0-9a-f]{32}$/.test(id)) return id;
  }
  const id = randomBytes(16).toString('hex');
  await writeFileDurably(own, `${id}\n`);
  return id;
}
