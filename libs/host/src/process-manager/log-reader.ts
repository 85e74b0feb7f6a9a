import { open, readdir, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogRequest, ServerLogLine } from '../host.js';
import { hasCode } from '../overlay/durable.js';
import { pause } from '../process/pause.js';
import { parsePosition, parseRecord, segmentFile, segmentsOf } from './log-format.js';

const CHUNK_BYTES = 64 * 1024;
const POLL_MS = 200;
const DEFAULT_LINES = 500;
const LF = 0x0a;

interface Place {
  segment: number;
  offset: number;
}

/** Reads a server's log (see log-format.ts) while its supervisor writes it. Complete lines only. */
export async function* readLog(folder: string, request: LogRequest): AsyncGenerator<ServerLogLine> {
  const place = await firstPlace(folder, request);
  for (;;) {
    if (request.signal?.aborted) return;
    // Asked before reading: a segment that has a successor now is not written any more, so its end is final.
    const next = (await segments(folder)).find((segment) => segment > place.segment);
    yield* readSegment(folder, place, request.signal);
    if (request.signal?.aborted) return;
    if (next !== undefined) {
      place.segment = next;
      place.offset = 0;
    } else if (request.follow) {
      await pause(POLL_MS, request.signal);
    } else {
      return;
    }
  }
}

/** Where reading begins. */
async function firstPlace(folder: string, request: LogRequest): Promise<Place> {
  const kept = await segments(folder);
  const after = request.after === undefined ? null : parsePosition(request.after);
  if (after !== null) {
    // Newer than all there is: another machine has given it, or systemd.
    if (after.segment > (kept.at(-1) ?? 0)) return { segment: 0, offset: 0 };
    if (!kept.includes(after.segment)) return { segment: after.segment, offset: 0 }; // then the next one that is kept
    return afterRecord(folder, after);
  }
  return lastLines(folder, kept, request.lines ?? DEFAULT_LINES);
}

/** Behind the record that begins at `place`; at its beginning when it is not complete (then it was never handed out). */
async function afterRecord(folder: string, place: Place): Promise<Place> {
  const at = { ...place };
  for await (const _ of readSegment(folder, at, undefined)) return at;
  return place;
}

/** The beginning of the last `count` complete lines. */
async function lastLines(folder: string, kept: readonly number[], count: number): Promise<Place> {
  let missing = count;
  let place: Place = { segment: kept.at(-1) ?? 0, offset: 0 };
  for (const segment of kept.toReversed()) {
    const found = await withSegment(folder, segment, (handle) => backwards(handle, missing));
    if (found === null) continue;
    place = { segment, offset: found.offset };
    missing -= found.lines;
    if (missing <= 0) break;
  }
  return place;
}

/** Counts line breaks from the end: `offset` is where the last `count` lines begin. */
async function backwards(handle: FileHandle, count: number): Promise<{ offset: number; lines: number }> {
  let end = (await handle.stat()).size;
  let lines = -1; // the first break found ends the last line
  let last = 0;
  while (end > 0) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const chunk = await readAt(handle, start, end - start);
    for (let i = chunk.length - 1; i >= 0; i--) {
      if (chunk[i] !== LF) continue;
      lines++;
      if (lines === 0) last = start + i + 1;
      if (lines === count) return { offset: start + i + 1, lines };
    }
    end = start;
  }
  return lines < 0 ? { offset: last, lines: 0 } : { offset: 0, lines: lines + 1 };
}

/** Complete lines from `place` on, which moves behind each one before it is handed out. */
async function* readSegment(folder: string, place: Place, signal?: AbortSignal): AsyncGenerator<ServerLogLine> {
  let handle: FileHandle;
  try {
    handle = await open(join(folder, segmentFile(place.segment)), 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return; // rotated away, or nothing was written yet
    throw error;
  }
  try {
    let held = Buffer.alloc(0);
    for (let at = place.offset; ;) {
      const chunk = await readAt(handle, at, CHUNK_BYTES);
      if (chunk.length === 0) return;
      at += chunk.length;
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      let start = 0;
      for (let end = held.indexOf(LF); end >= 0; end = held.indexOf(LF, start)) {
        const offset = place.offset;
        const text = held.toString('utf8', start, end);
        place.offset += end + 1 - start;
        start = end + 1;
        yield parseRecord(place.segment, offset, text);
        if (signal?.aborted) return;
      }
      held = held.subarray(start);
    }
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer<ArrayBuffer>> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function withSegment<T>(
  folder: string,
  segment: number,
  use: (handle: FileHandle) => Promise<T>,
): Promise<T | null> {
  let handle: FileHandle;
  try {
    handle = await open(join(folder, segmentFile(segment)), 'r');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

async function segments(folder: string): Promise<number[]> {
  try {
    return segmentsOf(await readdir(folder));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
