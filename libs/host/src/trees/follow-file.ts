import type { FileHandle } from 'node:fs/promises';
import { NotFound } from '../errors.js';
import { pause } from '../process/pause.js';
import type { OpenedFile } from './merged-tree.js';

/** Bytes from one place of a file. */
export interface FilePart {
  /** Offset of the first byte. */
  from: number;
  bytes: Buffer;
  /** What the file has right before them, as many bytes as were asked for. */
  before: Buffer;
  /** The file is another one than before, or was emptied: what was given so far is not part of it. */
  anew: boolean;
}

export interface FollowRequest {
  /** Where to begin; negative: that many bytes before the end. Beyond the end: the file was emptied since. */
  from: number;
  /** So many bytes before each part are given with it; none by default. */
  before?: number;
  signal: AbortSignal;
  lookMs?: number;
}

const LOOK_MS = 500;
const PART = 64 * 1024;

/**
 * What a file has and what is written to it, until the signal aborts: whole lines, or what has not become a line between two looks.
 * A file that is missing meanwhile is waited for, one in its place is read from its beginning. overlayfs tells nobody of what a
 * server writes (no inotify), so the file is looked at.
 * @param open opens the file as it is now; its first failure is thrown
 */
export async function* followFile(open: () => Promise<OpenedFile>, request: FollowRequest): AsyncGenerator<FilePart> {
  const { signal, before = 0, lookMs = LOOK_MS } = request;
  let known: { identity: string; size: number } | null = null;
  let position = request.from;
  let anew = false;
  while (!signal.aborted) {
    const opened = await openIfAny(open, known !== null);
    if (opened !== null) {
      const { file, identity, size } = opened;
      try {
        if (known === null && position < 0) position = Math.max(0, size + position);
        if (size < position || (known !== null && known.identity !== identity)) {
          position = 0;
          anew = true;
        }
        const still = known?.identity === identity && known.size === size;
        for await (const part of linesOf(file, { from: position, size, rest: still, before })) {
          if (signal.aborted) return;
          yield { from: position, ...part, anew };
          position += part.bytes.length;
          anew = false;
        }
        known = { identity, size };
      } finally {
        await file.close();
      }
    }
    await pause(lookMs, signal);
  }
}

async function openIfAny(open: () => Promise<OpenedFile>, mayBeMissing: boolean): Promise<OpenedFile | null> {
  try {
    return await open();
  } catch (error) {
    if (mayBeMissing && error instanceof NotFound) return null;
    throw error;
  }
}

interface LinesRequest {
  from: number;
  size: number;
  /** Also what does not end with a line end. */
  rest: boolean;
  before: number;
}

async function* linesOf(
  file: FileHandle,
  { from, size, rest, before }: LinesRequest,
): AsyncGenerator<Pick<FilePart, 'bytes' | 'before'>> {
  let position = from;
  while (position < size) {
    const skip = Math.min(before, position);
    // Read together: what stands before must be of the same moment, or a secret across the border is not seen.
    const buffer = Buffer.alloc(skip + Math.min(PART, size - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position - skip);
    if (bytesRead <= skip) return;
    const found = buffer.subarray(skip, bytesRead);
    const whole = found.lastIndexOf('\n') + 1;
    // A part without a line end is given as it is: nothing is collected.
    const length = whole === 0 && (rest || found.length === PART) ? found.length : whole;
    if (length === 0) return;
    yield { bytes: found.subarray(0, length), before: buffer.subarray(0, skip) };
    position += length;
  }
}
