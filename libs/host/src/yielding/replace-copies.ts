import { mkdir, rename, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { InstanceFolder } from '../instances/instance-folder.js';
import { inspect, isBelowOwn, readManifest, saveManifest } from '../launcher/copy-manifest.js';
import { DirHandle } from '../overlay/dir-handle.js';
import { hasCode } from '../overlay/durable.js';
import { forgetReplaced, type KeptReplaced } from './forget-replaced.js';
import { type Adoption, type OwnPath, Yielding, yieldingIn } from './yielding.js';

export interface ReplaceRequest extends Adoption {
  isolation: 'namespaces' | 'copy';
  /** What was replaced goes to replaced/<job>/. */
  job: string;
  keptReplaced: KeptReplaced;
}

/** Whether there is anything to replace; only looks. */
export async function mustReplace(folder: InstanceFolder, request: ReplaceRequest): Promise<boolean> {
  const yielding = new Yielding(request);
  if (request.isolation === 'copy') return (await yieldingInCopy(folder, yielding)).length > 0;
  const { yields, shut } = await inUpper(folder, yielding);
  return yields.length + shut.length > 0;
}

/**
 * Moves the server's own copies out of the way of what the layers bring. Only for a server that does not run. Interrupted, it is
 * begun again: what was moved is not found again, and the generation is adopted after that.
 */
export async function replaceCopies(
  folder: InstanceFolder,
  request: ReplaceRequest,
  report: (line: string) => void,
): Promise<void> {
  const yielding = new Yielding(request);
  const target = join(folder.replaced(), request.job);
  const tell = (own: OwnPath): void => report(sentence(own, request.job));
  if (request.isolation === 'copy') await replaceInCopy(folder, yielding, target, tell);
  else await replaceInUpper(folder, yielding, target, tell, report);
  await forgetReplaced(folder.replaced(), request.keptReplaced, report);
}

async function replaceInUpper(
  folder: InstanceFolder,
  yielding: Yielding,
  target: string,
  tell: (own: OwnPath) => void,
  report: (line: string) => void,
): Promise<void> {
  const { yields, shut } = await inUpper(folder, yielding);
  const upper = await DirHandle.openToEmpty(folder.upper());
  try {
    for (const own of yields) {
      await takeOut(upper, own, target);
      tell(own);
      await removeEmptyFolders(upper, own.path, yielding);
    }
  } finally {
    await upper.close();
  }
  for (const { path, folder: above } of shut) {
    const why = `the server has made ${JSON.stringify(above)} anew, which hides everything of the layers in it`;
    report(`${JSON.stringify(path)} has changed in the layers, but is not shown: ${why}`);
  }
}

async function replaceInCopy(
  folder: InstanceFolder,
  yielding: Yielding,
  target: string,
  tell: (own: OwnPath) => void,
): Promise<void> {
  const copy = await DirHandle.open(folder.copy());
  try {
    const manifest = await readManifest(folder);
    for (const own of await yieldingInCopy(folder, yielding)) {
      // Killed in between, it looks as if the server had deleted the file: that yields, too.
      if (!own.deleted) await takeOut(copy, own, target);
      delete manifest.entries[own.path];
      tell(own);
    }
    await saveManifest(folder, manifest);
  } finally {
    await copy.close();
  }
}

async function inUpper(folder: InstanceFolder, yielding: Yielding): ReturnType<typeof yieldingIn> {
  const upper = await DirHandle.openToEmpty(folder.upper());
  try {
    return await yieldingIn(upper, yielding);
  } finally {
    await upper.close();
  }
}

async function yieldingInCopy(folder: InstanceFolder, yielding: Yielding): Promise<OwnPath[]> {
  const present = await inspect(folder.copy(), await readManifest(folder));
  const yields: OwnPath[] = [];
  for (const [path, state] of present) {
    if (state !== 'own file' && state !== 'deleted') continue;
    if (state === 'deleted' && isBelowOwn(path, present)) continue;
    if (await yielding.yields(path)) yields.push({ path, deleted: state === 'deleted' });
  }
  return yields;
}

async function takeOut(tree: DirHandle, { path, deleted }: OwnPath, target: string): Promise<void> {
  const parts = path.split('/');
  const name = parts.pop() ?? '';
  const parent = await tree.descend(parts);
  try {
    await parent.openToOwner();
    if (deleted) return await unlink(parent.at(name));
    await mkdir(dirname(join(target, path)), { recursive: true });
    await rename(parent.at(name), join(target, path));
  } finally {
    await parent.close();
  }
}

/** A folder without a file would hide what the layers have there, if that is no folder any more. */
async function removeEmptyFolders(upper: DirHandle, path: string, yielding: Yielding): Promise<void> {
  for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
    if (await yielding.showsFolder(folder)) return;
    const parts = folder.split('/');
    const name = parts.pop() ?? '';
    const parent = await upper.descend(parts);
    try {
      await parent.openToOwner();
      await rmdir(parent.at(name));
    } catch (error) {
      if (hasCode(error, 'ENOTEMPTY')) return;
      throw error;
    } finally {
      await parent.close();
    }
  }
}

function sentence({ path, deleted }: OwnPath, job: string): string {
  const named = JSON.stringify(path);
  return deleted
    ? `${named} has changed in the layers: that the server had deleted it counts no more`
    : `${named} has changed in the layers: the server's own copy is in replaced/${job}/ now`;
}
