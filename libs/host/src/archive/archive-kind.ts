import { open } from 'node:fs/promises';
import { ArchiveRefused } from '../errors.js';
import type { ArchiveEntry } from './archive-entry.js';
import { bounded } from './bounded.js';
import { type Compression, decompress } from './decompress.js';
import { tarEntries } from './tar-entries.js';
import { BLOCK_BYTES, isTarHeader } from './tar-header.js';
import type { ArchiveLimits } from './unpack.js';
import { zipEntries } from './zip-entries.js';

const SIGNATURES: readonly [Compression | 'zip', Buffer][] = [
  ['zip', Buffer.from('PK\x03\x04', 'latin1')],
  ['zip', Buffer.from('PK\x05\x06', 'latin1')], // an empty one
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['bzip2', Buffer.from('BZh', 'latin1')],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
];

/** The entries of an archive, whose kind is told by its first bytes and not by its name. Throws `ArchiveRefused`. */
export async function archiveEntries(
  path: string,
  size: number,
  limits: ArchiveLimits,
  signal: AbortSignal,
): Promise<AsyncGenerator<ArchiveEntry>> {
  const tar = (compression: Compression): AsyncGenerator<ArchiveEntry> =>
    tarEntries(bounded(decompress(path, compression, signal), size, limits, signal));
  const beginning = await firstBlock(path);
  const known = SIGNATURES.find(([, bytes]) => beginning.subarray(0, bytes.length).equals(bytes))?.[0];
  if (known === 'zip') return zipEntries(path);
  if (known !== undefined) return tar(known);
  if (isTarHeader(beginning)) return tar('none');
  throw new ArchiveRefused('it is no zip and no tar (plain, or compressed by gzip, bzip2, xz or zstd)');
}

async function firstBlock(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
