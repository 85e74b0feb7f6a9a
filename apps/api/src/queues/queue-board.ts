import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { type NextFunction, type Request, type Response, Router } from 'express';
import { Authentication } from '../auth/authentication.js';
import { REDIS_AWAY } from '../problems/answer.js';
import { NotAllowed, NotLoggedIn, Unavailable } from '../problems/problems.js';
import { RedisConnections } from '../redis/redis.js';
import type { Board } from './board.js';

const PATH = '/queues';

/** Bull board at /queues, for admins. Whoever makes a BullMQ queue adds it here. */
@Injectable()
export class QueueBoard {
  private readonly queues: { queue: Queue; displayName: string }[] = [];
  /** Null: nobody has looked yet. Most panels run for weeks without, so it is loaded only then. */
  private board: Board | null = null;
  /** Middleware, to be mounted at /queues. */
  readonly handler: Router;

  constructor(
    private readonly authentication: Authentication,
    private readonly redis: RedisConnections,
  ) {
    this.handler = Router();
    this.handler.use((request: Request, response: Response, next: NextFunction) => {
      this.enter(request, response, next).catch(next);
    });
    this.handler.use((request: Request, response: Response, next: NextFunction) => {
      this.open()
        .then((board) => board.handler(request, response, next))
        .catch(next);
    });
  }

  /** @param displayName what the board calls it */
  add(queue: Queue, displayName = queue.name): void {
    this.queues.push({ queue, displayName });
    this.board?.add(queue, displayName);
  }

  private async open(): Promise<Board> {
    const { Board } = await import('./board.js');
    if (this.board) return this.board;
    this.board = new Board(PATH);
    for (const { queue, displayName } of this.queues) this.board.add(queue, displayName);
    return this.board;
  }

  /** A browser is sent to the login and comes back; whoever else is not an admin gets a problem. */
  private async enter(request: Request, response: Response, next: NextFunction): Promise<void> {
    try {
      const principal = await this.authentication.authenticate(request.headers);
      if (principal.tokenId !== undefined || !principal.admin)
        throw new NotAllowed('Only admins may see the queues, with a password.');
      if (this.redis.queues.status !== 'ready') throw new Unavailable(REDIS_AWAY);
      response.setHeader('Cache-Control', 'no-store');
      next();
    } catch (error) {
      const page = request.method === 'GET' && request.accepts(['json', 'html']) === 'html';
      if (error instanceof NotLoggedIn && page) response.redirect(`/login?to=${encodeURIComponent(own(request))}`);
      else next(error);
    }
  }
}

/** The address below /queues that was asked for. Anything else (`/queues//elsewhere`) becomes /queues itself. */
function own(request: Request): string {
  const base = 'http://panel.invalid';
  if (!URL.canParse(request.originalUrl, base)) return PATH;
  const { pathname, search } = new URL(request.originalUrl, base);
  return /^\/queues(\/[\w.-]+)*\/?$/.test(pathname) ? pathname + search : PATH;
}
