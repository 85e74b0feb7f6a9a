import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import type { Response } from 'express';
import pg from 'pg';
import { QueryFailedError } from 'typeorm';
import { isRedisAway } from '../redis/redis-away.js';
import {
  BodyTooLarge,
  Conflict,
  type FieldError,
  Invalid,
  NotAllowed,
  NotFound,
  NotLoggedIn,
  Problem,
  TooManyAttempts,
  Unavailable,
} from './problems.js';

/** The body of every failed answer: RFC 9457, with `errors` for the fields of a request. */
export interface ProblemBody {
  type: 'about:blank';
  title: string;
  status: number;
  detail: string;
  errors?: FieldError[];
}

export const REDIS_AWAY = 'Redis does not answer; this works again when it does.';

const statuses: [abstract new (...args: never[]) => Problem, number][] = [
  [Invalid, 400],
  [NotLoggedIn, 401],
  [NotAllowed, 403],
  [NotFound, 404],
  [Conflict, 409],
  [BodyTooLarge, 413],
  [TooManyAttempts, 429],
  [Unavailable, 503],
];

/** What an error is answered with. What is not known becomes a 500 that tells nothing of the inside. */
export function problemBody(error: unknown): ProblemBody {
  if (error instanceof Problem) {
    const status = statuses.find(([kind]) => error instanceof kind)?.[1] ?? 500;
    return body(status, error.message, error instanceof Invalid ? error.errors : undefined);
  }
  if (isRedisAway(error)) return body(503, REDIS_AWAY);
  if (error instanceof HttpException) return body(error.getStatus(), ofParser(error.cause) ?? sentence(error.message));
  if (error instanceof QueryFailedError) return ofDatabase(error.driverError);
  if (error instanceof pg.DatabaseError) return ofDatabase(error);
  const status = clientErrorStatus(error);
  if (status !== null) return body(status, ofParser(error) ?? sentence(error instanceof Error ? error.message : ''));
  return body(500, 'Something went wrong in the panel; its log says more.');
}

/** Sends the problem; when the answer has begun already, the connection is cut so that nobody takes it for a whole one. */
export function sendProblem(response: Response, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const problem = problemBody(error);
  if (problem.status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="left4me"');
  const retryAfter = error instanceof TooManyAttempts || error instanceof Unavailable ? error.retryAfter : null;
  if (retryAfter !== null) response.setHeader('Retry-After', String(retryAfter));
  response.setHeader('Cache-Control', 'no-store');
  response.status(problem.status).type('application/problem+json').send(JSON.stringify(problem));
}

function body(status: number, detail: string, errors?: FieldError[]): ProblemBody {
  const title = STATUS_CODES[status] ?? 'Error';
  return { type: 'about:blank', title, status, detail: detail || `${title}.`, ...(errors ? { errors } : {}) };
}

/** The last resort for what the checks before a statement did not see, a lost race mostly. */
function ofDatabase(error: Error): ProblemBody {
  const code = 'code' in error ? error.code : null;
  if (code === '23505')
    return body(409, 'Something with the same name or number was made in the meantime. Look again.');
  if (code === '23503')
    return body(409, 'Something that this refers to, or that refers to it, changed in the meantime. Look again.');
  if (code === '22021') return body(400, 'Text may not contain NUL characters.');
  return body(500, 'Something went wrong in the panel; its log says more.');
}

/** body-parser's errors carry a `type`; its own messages quote parser internals. */
function ofParser(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('type' in error)) return null;
  if (error.type === 'entity.parse.failed') return 'The body is not valid JSON.';
  if (error.type === 'entity.too.large') return 'The body is over its limit.';
  return null;
}

/** http-errors (Express, body-parser, send): a status below 500 is the request's fault. */
function clientErrorStatus(error: unknown): number | null {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') return null;
  return error.status >= 400 && error.status < 500 ? error.status : null;
}

function sentence(text: string): string {
  return text === '' || /[.!?]$/.test(text) ? text : `${text}.`;
}
