import { type FileHandle, copyFile, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const LIMIT_BYTES = 5 * 1024 * 1024;
const CHECK_EVERY_MS = 60_000;

/**
 * A log file that a child process writes by itself, so that its last words are kept even when the panel is killed.
 * Beyond 5 MB it is copied to `<file>.1` and cut: the child appends (O_APPEND), so it goes on at the new end.
 */
export class BoundedLog {
  private readonly timer: NodeJS.Timeout;

  private constructor(
    readonly file: string,
    private readonly handle: FileHandle,
  ) {
    this.timer = setInterval(() => void this.trim().catch(() => undefined), CHECK_EVERY_MS);
    this.timer.unref();
  }

  static async open(file: string): Promise<BoundedLog> {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    const log = new BoundedLog(file, await open(file, 'a+', 0o600));
    await log.trim();
    return log;
  }

  /** File descriptor to hand to a child as its stdout and stderr. */
  get fd(): number {
    return this.handle.fd;
  }

  async size(): Promise<number> {
    return (await stat(this.file)).size;
  }

  /** The last lines written after `from` bytes, for an error message. */
  async tail(from: number, lines: number): Promise<string> {
    const end = await this.size();
    const start = Math.max(Math.min(from, end), end - 16_384);
    const { buffer, bytesRead } = await this.handle.read(Buffer.alloc(end - start), 0, end - start, start);
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-lines).join('\n');
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.handle.close();
  }

  private async trim(): Promise<void> {
    if ((await this.size()) <= LIMIT_BYTES) return;
    await copyFile(this.file, `${this.file}.1`);
    await this.handle.truncate(0);
  }
}
