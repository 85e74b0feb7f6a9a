import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { HttpException } from '@nestjs/common';
import type { Request, Response } from 'express';

/**
 * A folder that is packed holds a place that others wait for: a reader who takes nothing for so long is taken for gone. What the system
 * keeps for a slow line may take a minute.
 */
const SILENCE_MS = 120_000;

/** A file that is to be sent. */
export interface FileToSend {
  /** Bytes. */
  size: number;
  /** ISO 8601. */
  modifiedAt: string;
  /** Quoted, strong. */
  etag: string;
  /** Called once at most; `end` is the last byte. */
  read(start: number, end: number): Promise<Readable>;
}

/**
 * Sends a file that somebody uploaded or a server wrote: always as an attachment that no browser shows, runs or guesses a type for; a
 * single Range is answered (RFC 9110), several are not and get the whole file.
 */
export async function sendFile(request: Request, response: Response, name: string, file: FileToSend): Promise<void> {
  const modified = new Date(file.modifiedAt).toUTCString();
  asAttachment(response, name, 'application/octet-stream');
  response.setHeader('Accept-Ranges', 'bytes');
  response.setHeader('Last-Modified', modified);
  response.setHeader('ETag', file.etag);
  const part = requestedPart(request, file, modified);
  if (part === 'none') {
    clearDownload(response);
    response.setHeader('Content-Range', `bytes */${file.size}`);
    throw new HttpException(`The file has ${file.size} bytes; the range is outside.`, 416);
  }
  const { start, end } = part ?? { start: 0, end: file.size - 1 };
  if (part) response.status(206).setHeader('Content-Range', `bytes ${start}-${end}/${file.size}`);
  response.setHeader('Content-Length', end - start + 1);
  if (request.method === 'HEAD' || end < start) response.end();
  else await send(response, await file.read(start, end));
}

/**
 * Sends a zip file of unknown length. One that fails in the middle, or whose reader takes nothing for long, is cut, so that nobody takes
 * it for a whole one.
 */
export async function sendArchive(
  response: Response,
  name: string,
  zip: Readable,
  silenceMs = SILENCE_MS,
): Promise<void> {
  asAttachment(response, name, 'application/zip');
  response.setHeader('Cache-Control', 'no-store');
  const silence = setTimeout(() => {
    // The packing may be slow as well: that is not the reader's silence.
    if (response.writableNeedDrain || response.writableEnded) response.destroy();
    else silence.refresh();
  }, silenceMs);
  const sent = send(response, zip);
  zip.on('data', () => silence.refresh());
  response.on('drain', () => silence.refresh());
  try {
    await sent;
  } finally {
    clearTimeout(silence);
  }
}

function asAttachment(response: Response, name: string, type: string): void {
  response.attachment(name);
  response.setHeader('Content-Type', type);
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Content-Security-Policy', 'sandbox');
}

async function send(response: Response, stream: Readable): Promise<void> {
  try {
    await pipeline(stream, response);
  } catch (error) {
    // Whoever downloads may go away at any moment.
    if (!isPrematureClose(error)) throw error;
  } finally {
    stream.destroy();
  }
}

/** The one part that is asked for; null: the whole file; `none`: a range outside of it. */
function requestedPart(
  request: Request,
  { size, etag }: FileToSend,
  modified: string,
): { start: number; end: number } | 'none' | null {
  const condition = request.headers['if-range'];
  if (condition !== undefined && condition !== modified && condition !== etag) return null;
  const ranges = request.range(size);
  if (ranges === -1) return 'none';
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return ranges[0] ?? null;
}

/** The error's answer is not a download. */
function clearDownload(response: Response): void {
  for (const header of ['Content-Disposition', 'Content-Type', 'Last-Modified', 'ETag']) response.removeHeader(header);
}

function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE';
}
