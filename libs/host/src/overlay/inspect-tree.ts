import { constants } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { Interrupted } from '../errors.js';
import type { DirHandle } from './dir-handle.js';
import type { TreeWarning } from './file-tree.js';
import { rightPlace } from './misplaced.js';
import { ifSwapped, lstatIfAny } from './tree-entries.js';
import { vpkProblem } from './vpk.js';

const MAX_CFG_BYTES = 1024 ** 2;
/** `pak_000.vpk` and so on hold contents alone, and belong to a `pak_dir.vpk`. */
const PART = /^(.*)_\d{3}\.vpk$/i;

/**
 * Finds what the game will not take as its author meant it, file by file in no particular order. Follows no link; closes `root`. Throws
 * `Interrupted`.
 */
export async function* inspectTree(root: DirHandle, signal?: AbortSignal): AsyncGenerator<TreeWarning> {
  yield* inspectFolder(root, [], signal);
}

async function* inspectFolder(
  folder: DirHandle,
  parts: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<TreeWarning> {
  try {
    const names = await readdir(folder.path);
    const known = new Set(names);
    for (const name of names) {
      if (signal?.aborted === true) throw new Interrupted('looking at the files');
      const stats = await lstatIfAny(folder.at(name));
      const type = stats?.isDirectory() === true ? 'folder' : stats?.isFile() === true ? 'file' : null;
      const path = [...parts, name];
      const belongsTo = type === null ? null : rightPlace(path, type);
      if (belongsTo !== null) yield { kind: 'misplaced', path: path.join('/'), belongsTo };
      if (type === 'folder') {
        const child = await folder.child(name).catch(ifSwapped);
        if (child !== null) yield* inspectFolder(child, path, signal);
      } else if (type === 'file') {
        yield* inspectFile(folder, name, path.join('/'), known, signal);
      }
    }
  } finally {
    await folder.close();
  }
}

async function* inspectFile(
  folder: DirHandle,
  name: string,
  path: string,
  beside: ReadonlySet<string>,
  signal?: AbortSignal,
): AsyncGenerator<TreeWarning> {
  if (/\.vpk$/i.test(name)) {
    const part = PART.exec(name);
    if (part && beside.has(`${part[1]}_dir.vpk`)) return;
    const problem = await withFile(folder.at(name), (file) => vpkProblem(file, signal));
    if (problem !== null) yield { kind: 'broken-vpk', path, problem };
    if (name.replace(/\.vpk$/i, '').includes('.')) yield { kind: 'vpk-name', path };
  } else if (/\.cfg$/i.test(name)) {
    const line = await withFile(folder.at(name), firstLineBeyondAscii);
    if (line !== null) yield { kind: 'non-ascii-cfg', path, line };
  }
}

async function firstLineBeyondAscii(file: FileHandle): Promise<number | null> {
  const buffer = Buffer.alloc(64 * 1024);
  let line = 1;
  for (let at = 0; at < MAX_CFG_BYTES;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return null;
    for (const byte of buffer.subarray(0, bytesRead)) {
      if (byte > 0x7f) return line;
      if (byte === 0x0a) line++;
    }
    at += bytesRead;
  }
  return null;
}

/** Null also for a file that is gone meanwhile, or is a link now. */
async function withFile<T>(path: string, look: (file: FileHandle) => Promise<T | null>): Promise<T | null> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(ifSwapped);
  if (file === null) return null;
  try {
    return await look(file);
  } finally {
    await file.close();
  }
}
