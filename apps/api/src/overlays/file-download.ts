import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HttpException } from '@nestjs/common';
import type { Request, Response } from 'express';

/** A file that was opened to be sent. */
export interface OpenFile {
  stream: Readable;
  /** Bytes. */
  size: number;
  /** ISO 8601. */
  modifiedAt: string;
}

/**
 * Sends a file that somebody uploaded: always as an attachment that no browser shows, runs or guesses a type for; a single Range is
 * answered (RFC 9110), several are not and get the whole file.
 */
export async function sendFile(request: Request, response: Response, name: string, file: OpenFile): Promise<void> {
  try {
    const modified = new Date(file.modifiedAt).toUTCString();
    response.attachment(name);
    response.setHeader('Content-Type', 'application/octet-stream');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Content-Security-Policy', 'sandbox');
    response.setHeader('Accept-Ranges', 'bytes');
    response.setHeader('Last-Modified', modified);
    const part = requestedPart(request, file.size, modified);
    if (part === 'none') {
      clearDownload(response);
      response.setHeader('Content-Range', `bytes */${file.size}`);
      throw new HttpException(`The file has ${file.size} bytes; the range is outside.`, 416);
    }
    const { start, end } = part ?? { start: 0, end: file.size - 1 };
    if (part) response.status(206).setHeader('Content-Range', `bytes ${start}-${end}/${file.size}`);
    response.setHeader('Content-Length', end - start + 1);
    if (request.method === 'HEAD') response.end();
    else await pipeline(part ? Readable.from(slice(file.stream, start, end)) : file.stream, response);
  } catch (error) {
    // Whoever downloads may go away at any moment.
    if (!isPrematureClose(error)) throw error;
  } finally {
    file.stream.destroy();
  }
}

/** The one part that is asked for; null: the whole file; `none`: a range outside of it. */
function requestedPart(
  request: Request,
  size: number,
  modified: string,
): { start: number; end: number } | 'none' | null {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== modified) return null;
  const ranges = request.range(size);
  if (ranges === -1) return 'none';
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return ranges[0] ?? null;
}

/** The error's answer is not a download. */
function clearDownload(response: Response): void {
  for (const header of ['Content-Disposition', 'Content-Type', 'Last-Modified']) response.removeHeader(header);
}

async function* slice(stream: Readable, start: number, end: number): AsyncGenerator<Buffer> {
  let position = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) throw new Error('a file stream gives buffers');
    const part = chunk.subarray(Math.max(0, start - position), Math.max(0, end + 1 - position));
    if (part.length > 0) yield part;
    position += chunk.length;
    if (position > end) return;
  }
}

function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
