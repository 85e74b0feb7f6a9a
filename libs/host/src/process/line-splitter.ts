/** Longer lines lose their end, so that a line without end cannot fill the memory. Bytes. */
export const MAX_LINE_BYTES = 16 * 1024;

const LF = 0x0a;
const CR = 0x0d;

/**
 * Cuts a byte stream into lines. LF, CR LF and a lone CR (progress displays) end a line; bytes that are not UTF-8 become
 * U+FFFD. Holds at most `MAX_LINE_BYTES` of an unfinished line; what exceeds that is dropped.
 */
export class LineSplitter {
  private held: Buffer[] = [];
  private heldBytes = 0;
  private afterCarriageReturn = false;

  /** The lines that this chunk completes. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte !== LF && byte !== CR) {
        this.afterCarriageReturn = false;
        continue;
      }
      if (byte === LF && this.afterCarriageReturn) {
        this.afterCarriageReturn = false;
      } else {
        this.hold(chunk.subarray(start, i));
        lines.push(this.take());
        this.afterCarriageReturn = byte === CR;
      }
      start = i + 1;
    }
    this.hold(chunk.subarray(start));
    return lines;
  }

  /** The unfinished last line, if there is one. */
  end(): string[] {
    return this.heldBytes > 0 ? [this.take()] : [];
  }

  private hold(bytes: Buffer): void {
    const room = MAX_LINE_BYTES - this.heldBytes;
    if (bytes.length === 0 || room <= 0) return;
    // A copy: a slice would keep the whole chunk alive.
    const part = Buffer.from(bytes.subarray(0, room));
    this.held.push(part);
    this.heldBytes += part.length;
  }

  private take(): string {
    const line = Buffer.concat(this.held).toString('utf8');
    this.held = [];
    this.heldBytes = 0;
    return line;
  }
}
