import type { Readable } from 'node:stream';
import type { ServerFiles } from '@left4me/host';
import type { KnownServer } from './file-answers.js';
import type { StatAnswer } from './file-questions.js';
import { maskedPart } from './masked-file.js';

/** A copy of a server's own that gave way to changed layers. */
export interface ReplacedCopy {
  job: string;
  path: string;
}

export async function statOfReplaced(
  files: ServerFiles,
  name: string,
  { job, path }: ReplacedCopy,
): Promise<StatAnswer> {
  const { file, size, modifiedAt, etag } = await files.openReplaced(name, job, path);
  await file.close();
  return { size, modifiedAt, etag };
}

/** A part of a copy; `end` is the last byte. */
export async function contentOfReplaced(
  files: ServerFiles,
  { name, secrets }: KnownServer,
  { job, path }: ReplacedCopy,
  part: readonly [start: number, end: number],
): Promise<Readable> {
  return maskedPart(await files.openReplaced(name, job, path), secrets, part, 'fails');
}
