import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { Request, Response } from 'express';
import { problemBody, sendProblem } from './answer.js';

/** What the panel refuses knowingly although it is not the request's fault: not supported here, a service is away (which is told once), no disk space. */
const REFUSALS: ReadonlySet<number> = new Set([501, 503, 507]);

/** The one place where errors become answers. Unknown ones are logged with their cause. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Problems');

  catch(error: unknown, host: ArgumentsHost): void {
    // Errors of WebSocket handlers are answered in their own protocol, by the gateway.
    if (host.getType() !== 'http') throw error;
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<Request>(), http.getResponse<Response>());
  }

  /** For what fails outside of Nest's routes. */
  answer(error: unknown, request: Request, response: Response): void {
    const { status } = problemBody(error);
    if (!REFUSALS.has(status) && (status >= 500 || response.headersSent)) this.log(error, request);
    sendProblem(response, error);
  }

  private log(error: unknown, request: Request): void {
    const path = request.originalUrl.split('?', 1)[0];
    const told = [error, ...causes(error)].map((e) => (e instanceof Error ? (e.stack ?? e.message) : String(e)));
    this.logger.error(`${request.method} ${path}: ${told.join('\ncaused by ')}`);
  }
}

function causes(error: unknown): unknown[] {
  const found: unknown[] = [];
  for (let at = error; at instanceof Error && at.cause !== undefined && found.length < 5; at = at.cause)
    found.push(at.cause);
  return found;
}
