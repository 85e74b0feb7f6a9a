import { type FSWatcher, watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { instancesFolder } from '../instances/instance-folder.js';
import { isInstanceName } from '../instances/names.js';
import { hasCode } from '../overlay/durable.js';

/**
 * Tells the names of instances that are made or removed, by whomever, until the returned function is called. Only a hint: where the
 * kernel has no watch left, nothing is told.
 */
export async function watchInstances(root: string, changed: (name: string) => void): Promise<() => void> {
  const folder = instancesFolder(root);
  await mkdir(folder, { recursive: true });
  const watcher = open(folder, changed);
  watcher?.on('error', () => watcher.close());
  return () => watcher?.close();
}

function open(folder: string, changed: (name: string) => void): FSWatcher | null {
  try {
    return watch(folder, (_, name) => {
      if (name !== null && isInstanceName(name)) changed(name);
    });
  } catch (error) {
    if (hasCode(error, 'ENOSPC', 'EMFILE')) return null;
    throw error;
  }
}
