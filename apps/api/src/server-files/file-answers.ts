import type { Readable } from 'node:stream';
import type { FilePart, ServerFiles } from '@left4me/host';
import { folderZip } from '../downloads/folder-zip.js';
import { LONGEST_SECRET } from '../secrets/secret.dto.js';
import type { FollowStep, StatAnswer } from './file-questions.js';
import { type KnownSecrets, maskedPart, maskedPiece } from './masked-file.js';

/** Without a position a followed file begins that many bytes before its end, or with its beginning. */
const TAIL_BYTES = 1024 * 1024;

/** A server of this host, and what of it must not be seen. */
export interface KnownServer {
  name: string;
  secrets: KnownSecrets;
}

/** A part of a file; `end` is the last byte. */
export async function contentOf(
  files: ServerFiles,
  { name, secrets }: KnownServer,
  path: string,
  part: readonly [start: number, end: number],
): Promise<Readable> {
  return maskedPart(await files.open(name, path), secrets, part, 'fails');
}

export async function statOf(files: ServerFiles, name: string, path: string): Promise<StatAnswer> {
  const { file, size, modifiedAt, etag } = await files.open(name, path);
  await file.close();
  return { size, modifiedAt, etag };
}

/** The folder must be there: an archive that has begun cannot tell that it is not. */
export async function archiveOf(
  files: ServerFiles,
  { name, secrets }: KnownServer,
  path: string,
  signal: AbortSignal,
): Promise<Readable> {
  await files.list(name, path, { limit: 1 });
  return folderZip({
    path,
    entries: files.walk(name, path, signal),
    open: (file) => files.open(name, file),
    content: (opened) => maskedPart(opened, secrets, [0, opened.size - 1], 'ends'),
  });
}

/**
 * A text file as it is and as it goes on, masked.
 * @param after a position given before; null: from the beginning, or the last whole lines of a large file
 */
export async function* linesOf(
  files: Pick<ServerFiles, 'follow'>,
  { name, secrets }: KnownServer,
  path: string,
  after: number | null,
  signal: AbortSignal,
): AsyncGenerator<FollowStep> {
  let first = true;
  const where = { from: after ?? -TAIL_BYTES, before: LONGEST_SECRET - 1, signal };
  for await (const part of files.follow(name, path, where)) {
    const bytes = maskedPiece(part, await secrets());
    const begun = first && after === null && part.from > 0 ? bytes.indexOf('\n') + 1 : 0;
    const skipped = first && after === null ? part.from + begun : 0;
    first = false;
    yield { items: linesIn(bytes, part, begun), skipped, truncated: part.anew };
  }
}

function linesIn(bytes: Buffer, { from }: FilePart, begin: number): FollowStep['items'] {
  const items: FollowStep['items'] = [];
  for (let start = begin; start < bytes.length;) {
    const newline = bytes.indexOf('\n', start);
    const next = newline < 0 ? bytes.length : newline + 1;
    const line = bytes.toString('utf8', start, newline < 0 ? next : newline).replace(/\r$/, '');
    items.push({ position: String(from + next), line });
    start = next;
  }
  return items;
}
