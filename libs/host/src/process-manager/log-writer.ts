import { closeSync, fstatSync, mkdirSync, openSync, readSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SEGMENTS_KEPT, SEGMENT_BYTES, formatRecord, nextSegment, segmentFile, segmentsOf } from './log-format.js';

/**
 * Appends to a server's log. Synchronous on purpose: the supervisor does nothing else, and what is not read from the
 * server's pipe meanwhile is its back pressure. A full disk loses lines, is counted, and does not stop the server.
 */
export class LogWriter {
  private segment = 0;
  private handle = -1;
  private size = 0;
  private lost = 0;

  constructor(
    private readonly folder: string,
    private readonly segmentBytes = SEGMENT_BYTES,
    private readonly now: () => number = Date.now,
  ) {
    mkdirSync(folder, { recursive: true });
    const last = segmentsOf(readdirSync(folder)).at(-1);
    this.open(last ?? nextSegment(undefined, this.now()));
    // A record torn by a power cut must not get ours as its end.
    if (this.size > 0 && !this.endsWithLineBreak()) this.rotate();
  }

  /** The lines arrived together: they get one time and one write. */
  write(stream: 'stdout' | 'stderr', lines: readonly string[]): void {
    if (lines.length === 0) return;
    const at = this.now();
    let text = '';
    if (this.lost > 0) text += formatRecord(at, 'stderr', `left4me: ${this.lost} lines were lost: the disk was full`);
    for (const line of lines) text += formatRecord(at, stream, line);
    try {
      const bytes = Buffer.from(text);
      if (this.size > 0 && this.size + bytes.length > this.segmentBytes) this.rotate();
      this.append(bytes);
      this.lost = 0;
    } catch {
      this.lost += lines.length;
    }
  }

  close(): void {
    closeSync(this.handle);
  }

  private append(bytes: Buffer): void {
    for (let done = 0; done < bytes.length;) {
      const written = writeSync(this.handle, bytes, done);
      done += written;
      this.size += written;
    }
  }

  private rotate(): void {
    const before = this.handle;
    this.open(nextSegment(this.segment, this.now()));
    closeSync(before);
    const kept = segmentsOf(readdirSync(this.folder));
    for (const old of kept.slice(0, -SEGMENTS_KEPT)) rmSync(join(this.folder, segmentFile(old)), { force: true });
  }

  private open(segment: number): void {
    this.handle = openSync(join(this.folder, segmentFile(segment)), 'a+', 0o640);
    this.segment = segment;
    this.size = fstatSync(this.handle).size;
  }

  private endsWithLineBreak(): boolean {
    const last = Buffer.alloc(1);
    readSync(this.handle, last, 0, 1, this.size - 1);
    return last[0] === 0x0a;
  }
}
