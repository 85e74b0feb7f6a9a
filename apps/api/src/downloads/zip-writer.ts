import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createDeflateRaw } from 'node:zlib';
import { centralRecord, dataDescriptor, endRecords, localHeader, type ZipEntry } from './zip-records.js';

/** Maps hardly become smaller, and the processor is the game servers'. */
const COMPRESSION_LEVEL = 1;
/** Contents of this size and more have sizes of 8 bytes; what deflate adds to bytes that do not become smaller fits below. */
const LARGE = 0xf0000000;

/** Writes a zip file as its contents are read: whoever reads it decides how fast, and nothing but the list of entries is kept. */
export class ZipWriter {
  private offset = 0;
  private directory: Buffer[] = [];

  /** @param name without '/' at its end */
  *folder(name: string, modifiedAt: Date): Generator<Buffer> {
    const entry = this.begin(`${name}/`, modifiedAt, true, false);
    yield this.count(localHeader(entry));
    this.directory.push(centralRecord(entry));
  }

  /** @param atMost bytes that the content has, or fewer */
  async *file(name: string, modifiedAt: Date, content: Readable, atMost: number): AsyncGenerator<Buffer> {
    const entry = this.begin(name, modifiedAt, false, atMost >= LARGE);
    yield this.count(localHeader(entry));
    const deflate = createDeflateRaw({ level: COMPRESSION_LEVEL });
    const read = pipeline(content, measured(entry), deflate);
    // It is awaited below, but may fail before.
    read.catch(() => undefined);
    try {
      for await (const chunk of deflate) {
        if (!Buffer.isBuffer(chunk)) throw new TypeError('deflate gives buffers');
        entry.compressedSize += chunk.length;
        yield this.count(chunk);
      }
      await read;
    } finally {
      content.destroy();
    }
    yield this.count(dataDescriptor(entry));
    this.directory.push(centralRecord(entry));
  }

  *end(): Generator<Buffer> {
    const { offset } = this;
    for (const record of this.directory) yield this.count(record);
    yield endRecords(this.directory.length, { offset, size: this.offset - offset });
  }

  private begin(name: string, modifiedAt: Date, folder: boolean, large: boolean): ZipEntry {
    const sizes = { crc32: 0, size: 0, compressedSize: 0 };
    return { name: Buffer.from(name), folder, modifiedAt, large, offset: this.offset, ...sizes };
  }

  private count(bytes: Buffer): Buffer {
    this.offset += bytes.length;
    return bytes;
  }
}

/** Counts what passes, for the descriptor. */
function measured(entry: ZipEntry) {
  return async function* (source: AsyncIterable<unknown>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('a file stream gives buffers');
      entry.size += chunk.length;
      entry.crc32 = crc32(chunk, entry.crc32);
      yield chunk;
    }
  };
}
