import { PassThrough, type Readable } from 'node:stream';
import type { Request, Response } from 'express';
import { Invalid } from '../problems/problems.js';

/**
 * Gives a request's raw body to whoever takes it. The signal aborts when the connection ends before the answer.
 * @throws Invalid when the sender stopped in the middle
 */
export async function takeBody<T>(
  request: Request,
  response: Response,
  take: (body: Readable, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const gone = new AbortController();
  const onClose = (): void => gone.abort();
  response.once('close', onClose);
  try {
    return await take(bodyOf(request), gone.signal);
  } catch (error) {
    if (request.destroyed && !request.complete)
      throw new Invalid([{ path: '', message: 'the upload ended before its end' }]);
    // Nobody reads the rest of a refused upload; the connection cannot be used again.
    if (!request.complete) response.setHeader('Connection', 'close');
    throw error;
  } finally {
    response.off('close', onClose);
  }
}

/**
 * The request's body as a stream of its own: whoever refuses it in the middle destroys that, and the connection is still there for the
 * answer.
 */
function bodyOf(request: Request): Readable {
  const body = new PassThrough();
  // Whoever reads it is told as well; before somebody does, nobody else must be.
  body.on('error', () => undefined);
  request.once('close', () => {
    if (!request.complete) body.destroy(new Error('the connection was cut'));
  });
  return request.pipe(body);
}
