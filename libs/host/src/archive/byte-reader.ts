import { ArchiveRefused } from '../errors.js';

/** Takes exact numbers of bytes from a stream, holding no more than one of its chunks and what is asked for. */
export class ByteReader {
  private readonly chunks: AsyncIterator<Buffer>;
  private chunk: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.chunks = source[Symbol.asyncIterator]();
  }

  /** The next bytes, for small numbers of them. Throws `ArchiveRefused` when there are fewer. */
  async take(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of this.stream(length)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** The next bytes in pieces of any size. Throws `ArchiveRefused` when there are fewer. */
  async *stream(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0;) {
      if (!(await this.more())) throw new ArchiveRefused('the archive is cut off');
      const piece = this.chunk.subarray(0, left);
      this.chunk = this.chunk.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  /** Reads on to the end, so that checksums there are verified, but not more than that. */
  async drain(limit: number): Promise<void> {
    for (let left = limit; left > 0 && (await this.more());) {
      left -= this.chunk.length;
      this.chunk = Buffer.alloc(0);
    }
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  private async more(): Promise<boolean> {
    while (this.chunk.length === 0) {
      const next = await this.chunks.next();
      if (next.done) return false;
      this.chunk = next.value;
    }
    return true;
  }
}
