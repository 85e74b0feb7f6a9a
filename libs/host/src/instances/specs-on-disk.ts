import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode } from '../overlay/durable.js';
import { InstanceFolder, instancesFolder } from './instance-folder.js';
import { isInstanceName } from './names.js';
import { parseSpec, type Spec } from './spec.js';

/** The specification of every generation on the disk, whether it runs, ran, or is to be started. Throws `InvalidSpec` for a damaged one. */
export async function* specsOnDisk(root: string): AsyncGenerator<Spec> {
  for (const name of (await namesIn(instancesFolder(root))).filter(isInstanceName)) {
    const folder = new InstanceFolder(root, name);
    for (const generation of await namesIn(folder.generations())) {
      const text = await textOf(join(folder.generations(), generation, 'spec.yaml'));
      if (text !== null) yield parseSpec(text);
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}

/** Null for a generation that was not written to its end. */
async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null;
    throw error;
  }
}
