import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** The text of every file below a folder, by its path. */
export async function filesIn(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found[relative(folder, path)] = await readFile(path, 'utf8');
  }
  return found;
}
