import { closeSync, openSync, readSync } from 'node:fs';
import { ifThere } from './if-there.js';

/** A piece of a process's memory. */
export interface Mapping {
  /** '' or in brackets where it is no file's. */
  path: string;
  inode: number;
  /** In bytes of the file, from its begin. */
  end: number;
  /** The file has no name any more. */
  removed: boolean;
}

/** `<from>-<to> <permissions> <offset> <device> <inode> <path>`, numbers but the inode hexadecimal: see proc_pid_maps(5). */
const MAPPING = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ ([0-9]+) *(.*?)( \(deleted\))?$/;
const BUFFER = Buffer.alloc(64 * 1024);

/** Piece by piece: a process may have a million, and who asks may want fewer. None when it cannot be looked at. */
export function* mappingsOf(pid: number): Generator<Mapping> {
  const file = ifThere(() => openSync(`/proc/${pid}/maps`, 'r'));
  if (file === null) return;
  try {
    let rest = '';
    for (;;) {
      const read = ifThere(() => readSync(file, BUFFER)) ?? 0;
      if (read === 0) return;
      const lines = (rest + BUFFER.toString('latin1', 0, read)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [, from = '', to = '', offset = '', inode, path = '', removed] = MAPPING.exec(line) ?? [];
        const end = parseInt(offset, 16) + parseInt(to, 16) - parseInt(from, 16);
        if (inode !== undefined) yield { path, inode: Number(inode), end, removed: removed !== undefined };
      }
    }
  } finally {
    closeSync(file);
  }
}
