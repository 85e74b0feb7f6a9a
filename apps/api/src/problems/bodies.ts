import { UnsupportedMediaTypeException } from '@nestjs/common';
import { json, type NextFunction, type Request, type RequestHandler, type Response } from 'express';

/** Routes that take the body as it comes, whatever its type; they read the request themselves and have their own limits. */
const raw = /^\/api\/v1\/(overlays\/[^/]+\/(files\/content|archive)|uploads\/[^/]+)\/?$/;

/** What a form sends around the file would become part of it. */
const NO_FORM = 'Send the file as it is (curl --upload-file), not as a form.';

const LIMIT_BYTES = 1024 * 1024;
const LIMIT_MS = 60_000;

/**
 * Parses JSON bodies below /api, and refuses others with a sentence instead of leaving the fields empty.
 * @param limitMs for a whole body; whoever sends longer is cut off
 */
export function jsonBodies(limitMs = LIMIT_MS): RequestHandler {
  const parse = json({ limit: LIMIT_BYTES, strict: true, type: isJson });
  return (request: Request, response: Response, next: NextFunction) => {
    if (!request.path.startsWith('/api/')) return next();
    if (raw.test(request.path)) return next(isForm(request) ? new UnsupportedMediaTypeException(NO_FORM) : undefined);
    if (hasBody(request) && !isJson(request)) {
      return next(new UnsupportedMediaTypeException('Send the body as JSON, with Content-Type: application/json.'));
    }
    const tooSlow = setTimeout(() => request.destroy(), limitMs);
    request.once('close', () => clearTimeout(tooSlow));
    return parse(request, response, (error?: unknown) => {
      clearTimeout(tooSlow);
      next(error);
    });
  };
}

function isJson(request: { headers: { 'content-type'?: string | undefined } }): boolean {
  return /^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '');
}

function isForm(request: Request): boolean {
  return /^multipart\/form-data\b/i.test(request.headers['content-type'] ?? '');
}

function hasBody(request: Request): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}
