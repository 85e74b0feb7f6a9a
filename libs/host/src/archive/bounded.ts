import { ArchiveRefused } from '../errors.js';
import type { ArchiveLimits } from './unpack.js';

/** What a tar may hold beside contents for each file and folder: headers, extended ones and padding. */
const BESIDE_BYTES = 4 * 1024;
const BESIDE_ANY_BYTES = 1024 ** 2;

/**
 * Passes on what was decompressed as long as the limits and the signal allow: also the bytes that no file gets, of entries that are left
 * out, are work. Throws `ArchiveRefused`.
 */
export async function* bounded(
  source: AsyncIterable<Buffer>,
  archiveBytes: number,
  limits: ArchiveLimits,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  let bytes = -(limits.entries * BESIDE_BYTES + BESIDE_ANY_BYTES);
  for await (const chunk of source) {
    signal.throwIfAborted();
    bytes += chunk.length;
    refuseTooMuch(bytes, archiveBytes, limits);
    yield chunk;
  }
}

/** Of unpacked bytes. Throws `ArchiveRefused`. */
export function refuseTooMuch(bytes: number, archiveBytes: number, limits: ArchiveLimits): void {
  if (bytes > limits.totalBytes) {
    throw new ArchiveRefused(`the archive unpacks to more than ${limits.totalBytes} bytes`);
  }
  if (bytes > limits.ratioFromBytes && bytes > limits.ratio * archiveBytes) {
    throw new ArchiveRefused(`the archive unpacks to more than ${limits.ratio} times its size`);
  }
}
