import { spawn } from 'node:child_process';
import { pipeline } from 'node:stream/promises';
import { HostError } from '../errors.js';
import type { DirHandle } from '../overlay/dir-handle.js';
import { CLEAN_ENV } from '../process/clean-environment.js';

const BLOCK = 512;
const OPAQUE = 'SCHILY.xattr.user.overlay.opaque=y\n';
/** Of one folder: a path and a mark. */
const LONGEST_EXTENDED_HEADER = 32 * BLOCK;
/** 1: some changed meanwhile; 2: some could not be looked at, because they went meanwhile or nobody may read them. */
const WORST_OF_A_LOOK = 2;

/**
 * Which of these folders below `top` hide what the layers below have in them. overlayfs marks such a folder with an extended
 * attribute (`userxattr`), which Node cannot read and GNU tar can: one process for all. `/.` makes tar refuse what is no folder, so it
 * never reads a content; a folder that is swapped meanwhile makes the answer wrong, but shows nothing from outside.
 */
export async function opaqueAmong(top: DirHandle, paths: readonly string[]): Promise<Set<string>> {
  const opaque = new Set<string>();
  if (paths.length === 0) return opaque;
  const marks = ['--create', '--format=pax', '--no-recursion', '--xattrs', '--xattrs-include=user.overlay.opaque'];
  const names = ['--directory=/proc/self/fd/3', '--null', '--verbatim-files-from', '--files-from=-', '--file=-'];
  const tar = spawn('tar', [...marks, ...names], {
    env: CLEAN_ENV,
    stdio: ['pipe', 'pipe', 'ignore', top.descriptor],
  });
  const { stdin, stdout } = tar;
  if (stdin === null || stdout === null) throw new HostError('no-tar', 'GNU tar was started without its pipes');
  const ended = new Promise<number | null>((resolve, reject) => {
    tar.once('error', (cause) => reject(new HostError('no-tar', 'GNU tar cannot be run', { cause })));
    tar.once('close', (code) => resolve(code));
  });
  const [code, , bytes] = await Promise.all([
    ended,
    pipeline(function* () {
      for (const path of paths) yield `${path}/.\0`;
    }, stdin),
    collect(stdout, opaque),
  ]);
  // One that does not know these options writes no archive, not even an empty one.
  if (code === null || code > WORST_OF_A_LOOK || bytes === 0) {
    throw new HostError('no-tar', `GNU tar with extended attributes is needed; this tar ended with code ${code}`);
  }
  return opaque;
}

/**
 * Reads headers as they come; there is nothing else in this archive (POSIX.1-2017, pax, "pax Interchange Format").
 * @returns its bytes
 */
async function collect(archive: AsyncIterable<Buffer>, opaque: Set<string>): Promise<number> {
  let bytes = 0;
  let rest: Buffer = Buffer.alloc(0);
  let extended: string | null = null;
  for await (const chunk of archive) {
    bytes += chunk.length;
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= BLOCK) {
      if (rest[156] !== 'x'.charCodeAt(0)) {
        if (extended?.includes(OPAQUE)) opaque.add(pathIn(rest, extended));
        extended = null;
        rest = rest.subarray(BLOCK);
        continue;
      }
      const length = Number.parseInt(text(rest, 124, 12), 8);
      if (!(length <= LONGEST_EXTENDED_HEADER)) throw new HostError('no-tar', 'tar writes headers of an unknown form');
      const padded = Math.ceil(length / BLOCK) * BLOCK;
      if (rest.length < BLOCK + padded) break;
      extended = rest.toString('utf8', BLOCK, BLOCK + length);
      rest = rest.subarray(BLOCK + padded);
    }
  }
  return bytes;
}

function pathIn(header: Buffer, extended: string): string {
  const long = /^\d+ path=(.*)$/m.exec(extended)?.[1];
  const prefix = text(header, 345, 155);
  const path = long ?? (prefix === '' ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`);
  return path.replace(/\/\.\/?$/, '');
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.toString('utf8', start, start + length);
  const end = field.indexOf('\0');
  return end === -1 ? field : field.slice(0, end);
}
