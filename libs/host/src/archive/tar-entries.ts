import { ArchiveRefused } from '../errors.js';
import type { ArchiveEntry } from './archive-entry.js';
import { ByteReader } from './byte-reader.js';
import { BLOCK_BYTES, parsePax, parseTarHeader, type TarHeader, text } from './tar-header.js';

/** Of a long name or an extended header, which are held in memory. */
const MAX_META_BYTES = 64 * 1024;
/** In front of one entry; programs write up to four. */
const MAX_META_HEADERS = 16;
/** What may follow the end: padding, as a rule up to 10 KiB. */
const MAX_PADDING_BYTES = 1024 ** 2;

/** What earlier headers say about the next entry. */
interface Extended {
  name?: Buffer;
  size?: number;
  sparse?: boolean;
}

/**
 * The entries of a tar (v7, ustar, pax, GNU), in order and with no more of it in memory than a chunk. A reader of our own: node-tar decodes
 * names in pieces, which breaks those that are not ASCII, and tar-stream takes headers of any length into memory.
 */
export async function* tarEntries(source: AsyncIterable<Buffer>): AsyncGenerator<ArchiveEntry> {
  const reader = new ByteReader(source);
  let extended: Extended = {};
  let metaHeaders = 0;
  try {
    for (;;) {
      const block = await reader.take(BLOCK_BYTES);
      if (isZero(block)) break;
      const header = parseTarHeader(block);
      const meta = await metaOf(header, reader);
      if (meta !== null) {
        extended = { ...extended, ...meta };
        if (++metaHeaders > MAX_META_HEADERS) throw new ArchiveRefused('the tar has too many headers for one entry');
        continue;
      }
      const size = extended.size ?? header.size;
      const body = reader.stream(hasBody(header.type) ? size + padding(size) : 0);
      yield {
        name: extended.name ?? header.name,
        type: extended.sparse === true ? 'special' : typeOf(header, extended.name ?? header.name),
        executable: (header.mode & 0o100) !== 0,
        content: () => upTo(size, body),
      };
      for await (const _rest of body);
      extended = {};
      metaHeaders = 0;
    }
    await reader.drain(MAX_PADDING_BYTES);
  } finally {
    await reader.close();
  }
}

/** What a header says that is about the next one; null for an entry. */
async function metaOf(header: TarHeader, reader: ByteReader): Promise<Extended | null> {
  const isMeta = header.type === 'x' || header.type === 'L' || header.type === 'K' || header.type === 'g';
  if (!isMeta) return null;
  if (header.size > MAX_META_BYTES) {
    throw new ArchiveRefused(`a header of the tar is longer than ${MAX_META_BYTES} bytes`);
  }
  const body = await reader.take(header.size);
  await reader.take(padding(header.size));
  if (header.type === 'L') return { name: text(body) };
  if (header.type !== 'x') return {};
  const records = parsePax(body);
  const name = records.get('GNU.sparse.name') ?? records.get('path');
  const size = records.get('size');
  if (size !== undefined && !/^\d{1,15}$/.test(size.toString('latin1'))) {
    throw new ArchiveRefused('the archive is damaged: a size in the tar is not a number');
  }
  const sparse = [...records.keys()].some((key) => key.startsWith('GNU.sparse.'));
  return {
    ...(name === undefined ? {} : { name }),
    ...(size === undefined ? {} : { size: Number(size.toString('latin1')) }),
    ...(sparse ? { sparse } : {}),
  };
}

function typeOf(header: TarHeader, name: Buffer): ArchiveEntry['type'] {
  switch (header.type) {
    case '0':
    case '\0':
    case '7':
      return name.at(-1) === 0x2f ? 'folder' : 'file'; // v7 has no type for folders
    case '5':
      return 'folder';
    case '1':
    case '2':
      return 'link';
    default:
      return 'special';
  }
}

/** Links, devices, folders and FIFOs have none, whatever size they give. */
function hasBody(type: string): boolean {
  return !/[1-6]/.test(type);
}

async function* upTo(size: number, body: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  for (let left = size; left > 0;) {
    const next = await body.next();
    if (next.done) return;
    const piece = next.value.subarray(0, left);
    left -= piece.length;
    yield piece;
  }
}

function padding(size: number): number {
  return (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;
}

function isZero(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}
