import { PassThrough, type Readable } from 'node:stream';
import { RequestTimeoutException } from '@nestjs/common';
import type { Request, Response } from 'express';
import { goneOf } from '../problems/gone.js';
import { Invalid } from '../problems/problems.js';

/** Uploads may take hours, but not without a byte. */
const SILENCE_MS = 60_000;

/**
 * Gives a request's raw body to whoever takes it. The signal aborts when the connection ends before the answer.
 * @throws Invalid when the sender stopped in the middle; 408 when nothing came for long
 */
export async function takeBody<T>(
  request: Request,
  response: Response,
  take: (body: Readable, signal: AbortSignal) => Promise<T>,
  silenceMs = SILENCE_MS,
): Promise<T> {
  if (isCut(request)) throw ended();
  try {
    return await take(bodyOf(request, silenceMs), goneOf(response));
  } catch (error) {
    if (isCut(request)) throw ended();
    // Nobody reads the rest of a refused upload; the connection cannot be used again.
    if (!request.complete) response.setHeader('Connection', 'close');
    if (error instanceof Silence) throw new RequestTimeoutException(error.message);
    throw error;
  }
}

class Silence extends Error {}

/** Whether the connection was closed before all of the body was read here: what has come is lost with it. */
function isCut(request: Request): boolean {
  return request.destroyed && !request.readableEnded;
}

function ended(): Invalid {
  return new Invalid([{ path: '', message: 'the upload ended before its end' }]);
}

/**
 * The request's body as a stream of its own: whoever refuses it in the middle destroys that, and the connection is still there for the
 * answer.
 */
function bodyOf(request: Request, silenceMs: number): Readable {
  const body = new PassThrough();
  const silence = setTimeout(() => {
    // Whoever takes it may be slow as well: that is not the sender's silence.
    if (body.writableNeedDrain) silence.refresh();
    else body.destroy(new Silence(`Nothing of the upload has come for ${silenceMs / 1000} s.`));
  }, silenceMs);
  request.on('data', () => silence.refresh()).once('end', () => clearTimeout(silence));
  body.once('close', () => clearTimeout(silence));
  // Whoever reads it is told as well; before somebody does, nobody else must be.
  body.on('error', () => undefined);
  request.once('close', () => {
    if (isCut(request)) body.destroy(new Error('the connection was cut'));
  });
  return request.pipe(body);
}
