import { constants } from 'node:fs';
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { ArchiveRefused } from '../errors.js';
import type { ArchiveEntry } from './archive-entry.js';

/** `version made by` of entries whose attributes hold a mode: APPNOTE.TXT 4.4.2. */
const UNIX = 3;

/** The entries of a zip file, in the order of its directory. */
export async function* zipEntries(path: string): AsyncGenerator<ArchiveEntry> {
  // Names are checked by whoever unpacks, for all kinds of archives alike.
  const zip = await readable(() => yauzl.openPromise(path, { autoClose: false, decodeStrings: false }));
  try {
    const entries = zip.eachEntry();
    for (;;) {
      const next = await readable(() => entries.next());
      if (next.done) return;
      yield entryOf(zip, next.value);
    }
  } finally {
    zip.close();
  }
}

function entryOf(zip: yauzl.ZipFile, entry: yauzl.Entry): ArchiveEntry {
  // Some programs on Windows separate by backslashes, against the specification.
  const name = Buffer.from(entry.fileNameRaw.map((byte) => (byte === 0x5c ? 0x2f : byte)));
  const mode = entry.versionMadeBy >>> 8 === UNIX ? entry.externalFileAttributes >>> 16 : 0;
  return {
    name,
    type: typeOf(mode, name),
    executable: (mode & constants.S_IXUSR) !== 0,
    content: () => contentOf(zip, entry),
  };
}

function typeOf(mode: number, name: Buffer): ArchiveEntry['type'] {
  if (name.at(-1) === 0x2f) return 'folder';
  switch (mode & constants.S_IFMT) {
    case 0:
    case constants.S_IFREG:
      return 'file';
    case constants.S_IFDIR:
      return 'folder';
    case constants.S_IFLNK:
      return 'link';
    default:
      return 'special';
  }
}

async function* contentOf(zip: yauzl.ZipFile, entry: yauzl.Entry): AsyncGenerator<Buffer> {
  if (entry.isEncrypted()) throw new ArchiveRefused('the archive is encrypted: pack it without a password');
  const stream = await readable(() => zip.openReadStreamPromise(entry));
  let checksum = 0;
  const chunks: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await readable(() => chunks.next());
      if (next.done) break;
      checksum = crc32(next.value, checksum);
      yield next.value;
    }
  } finally {
    stream.destroy();
  }
  if (checksum !== entry.crc32) throw new ArchiveRefused('the archive is damaged: a checksum in the zip is wrong');
}

/** yauzl's own errors are about the archive; the system's have a code. */
async function readable<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || (error instanceof Error && 'syscall' in error)) throw error;
    throw new ArchiveRefused(`the archive is damaged: ${error.message}`, { cause: error });
  }
}
