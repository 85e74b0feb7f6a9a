import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Interrupted } from '../errors.js';
import { writeWhole } from '../overlay/write-whole.js';
import { backOff, type BackOff, isTemporaryStatus, retryAfterMs } from './back-off.js';
import { ItemUnavailable, reasonOf, TryAgain, WorkshopFailed } from './workshop-errors.js';

export interface DownloadLimits {
  /** A connection that brings no byte for so long is given up. */
  stallMs: number;
  /** How often in a row nothing new may come. */
  fruitless: number;
  backOff: BackOff;
}

export const DOWNLOAD_LIMITS: DownloadLimits = {
  stallMs: 30_000,
  fruitless: 6,
  backOff: { firstMs: 1000, mostMs: 30_000 },
};

export interface DownloadRequest {
  url: string;
  /** What Steam says of the file. */
  bytes: number;
  /** The unfinished file. What is in it is continued; it is complete when the download has ended well. */
  part: string;
  /** Told how many bytes there are. */
  progress(bytes: number): void;
}

/**
 * Downloads a file into its part, as far as it is not there yet; cut and stalled connections are continued where they ended. Throws
 * `ItemUnavailable`, `WorkshopFailed` when it may work later, `Interrupted`. The part stays in the last two cases.
 */
export async function download(request: DownloadRequest, limits: DownloadLimits, signal: AbortSignal): Promise<void> {
  const file = await open(request.part, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o644);
  try {
    let most = 0;
    for (let fruitless = 0; ;) {
      if (signal.aborted) throw new Interrupted('downloading');
      try {
        await new Attempt(request, file, limits, signal).run();
        await file.sync();
        return;
      } catch (error) {
        if (signal.aborted) throw new Interrupted('downloading');
        if (!(error instanceof TryAgain)) throw error;
        const { size } = await file.stat();
        fruitless = size > most ? 1 : fruitless + 1;
        most = Math.max(most, size);
        if (fruitless >= limits.fruitless) {
          throw new WorkshopFailed(`its download does not get on: ${error.message}`, { cause: error });
        }
        await backOff(error, fruitless, limits.backOff, signal);
      }
    }
  } finally {
    await file.close();
  }
}

/** One request, and what it brings. */
class Attempt {
  private readonly stall = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly request: DownloadRequest,
    private readonly file: FileHandle,
    private readonly limits: DownloadLimits,
    private readonly signal: AbortSignal,
  ) {}

  async run(): Promise<void> {
    const { bytes } = this.request;
    let { size: have } = await this.file.stat();
    if (have > bytes) {
      await this.file.truncate(0);
      have = 0;
    }
    if (have === bytes) return this.request.progress(bytes);
    this.alive();
    try {
      const response = await this.ask(have);
      await this.take(response, await this.startOf(response, have));
    } catch (error) {
      if (error instanceof ItemUnavailable || error instanceof TryAgain || isDiskError(error)) throw error;
      const stalled = this.stall.signal.aborted;
      const reason = stalled ? `nothing came for ${this.limits.stallMs / 1000} s` : reasonOf(error);
      throw new TryAgain(reason, null, { cause: error });
    } finally {
      clearTimeout(this.timer);
      // Whatever was not read is not wanted any more: the connection is closed.
      this.stall.abort();
    }
  }

  private ask(have: number): Promise<Response> {
    const headers = new Headers({ 'Accept-Encoding': 'identity' });
    if (have > 0) headers.set('Range', `bytes=${have}-`);
    return fetch(this.request.url, { headers, signal: AbortSignal.any([this.signal, this.stall.signal]) });
  }

  /** Where the answer's first byte belongs. */
  private async startOf(response: Response, have: number): Promise<number> {
    const { status, headers } = response;
    if (status === 206) {
      const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '');
      if (range?.[2] === String(this.request.bytes) && range[1] === String(have)) return have;
      await this.file.truncate(0);
      throw new TryAgain('another part was sent than the one asked for');
    }
    if (status === 200) {
      const announced = headers.get('content-length');
      if (announced !== null && announced !== String(this.request.bytes)) throw this.wrongSize(Number(announced));
      await this.file.truncate(0);
      return 0;
    }
    const said = `${new URL(this.request.url).host} answers ${status}`;
    if (status === 416) {
      await this.file.truncate(0);
      throw new TryAgain(said);
    }
    if (isTemporaryStatus(status)) throw new TryAgain(said, retryAfterMs(headers));
    throw new ItemUnavailable(`its file cannot be had: ${said}`);
  }

  private async take(response: Response, start: number): Promise<void> {
    let position = start;
    for await (const chunk of response.body ?? []) {
      this.alive();
      if (position + chunk.length > this.request.bytes) throw this.wrongSize(null);
      await writeWhole(this.file, chunk, position);
      position += chunk.length;
      this.request.progress(position);
    }
    // A connection that is cut fails above; here the sender has said that this is all.
    if (position < this.request.bytes) throw this.wrongSize(position);
  }

  private wrongSize(got: number | null): ItemUnavailable {
    const has = got === null ? 'it is larger' : `it has ${got}`;
    return new ItemUnavailable(
      `its file is not what Steam describes: ${this.request.bytes} bytes are announced, ${has}`,
    );
  }

  private alive(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.stall.abort(), this.limits.stallMs);
  }
}

function isDiskError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && (error.syscall === 'write' || error.syscall === 'ftruncate');
}
