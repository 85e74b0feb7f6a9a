import { statfs } from 'node:fs/promises';
import { HostError, PathRefused } from '../errors.js';
import { pathProblem, shortened } from './relative-path.js';

/** What publishing leaves free on the disk. */
const RESERVE_BYTES = 512 * 1024 ** 2;

/** Throws `PathRefused`, with a path that fits a sentence, for one that could not be asked for afterwards. */
export function requirePublishable(path: string): void {
  const problem = pathProblem(path);
  if (problem !== null) throw new PathRefused(shortened(path), problem);
}

/** The name; what is not UTF-8 could neither be shown nor asked for. Throws `PathRefused`. */
export function textOf(name: Buffer, parents: readonly string[]): string {
  const text = name.toString('utf8');
  if (Buffer.from(text).equals(name)) return text;
  throw new PathRefused(shortened([...parents, text].join('/')), 'the name is not UTF-8');
}

/** A full disk stops servers, too. */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes + RESERVE_BYTES) return;
  throw new HostError('disk-full', 'The disk is almost full: nothing was published. Free some space, then build again');
}

/** Of what a script made: servers would lose what the overlay had, mostly because a command failed unnoticed. */
export function requireFiles(files: number): void {
  if (files > 0) return;
  const advice = 'Begin it with "set -euo pipefail", so that it ends at the first command that fails';
  throw new HostError('nothing-made', `The script ended well, but made no file in $LEFT4ME_OVERLAY. ${advice}`);
}
