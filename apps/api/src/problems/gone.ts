import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';

/** A signal that aborts when the connection ends, before the answer or with it; aborted where that has happened already. */
export function goneOf(response: Pick<Response, 'destroyed' | 'once'>): AbortSignal {
  // While the guards wait for PostgreSQL it may have been closed, which is told once only.
  if (response.destroyed) return AbortSignal.abort();
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return gone.signal;
}

/** Parameter decorator: `goneOf` the answer. */
export const Gone = createParamDecorator((_: unknown, context: ExecutionContext): AbortSignal => {
  return goneOf(context.switchToHttp().getResponse<Response>());
});
