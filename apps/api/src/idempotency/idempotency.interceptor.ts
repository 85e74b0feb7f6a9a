import { createHmac, randomUUID } from 'node:crypto';
import {
  applyDecorators,
  type CallHandler,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiExtension } from '@nestjs/swagger';
import type { Request as HttpRequest, Response } from 'express';
import { catchError, concatMap, from, type Observable, of } from 'rxjs';
import { DataSource, IsNull, LessThan } from 'typeorm';
import { RunningSettings } from '../config/settings.js';
import { problemBody } from '../problems/answer.js';
import { Conflict, Invalid } from '../problems/problems.js';
import { IdempotencyKey } from './idempotency-key.entity.js';

const DAY = 24 * 60 * 60 * 1000;

/** The answer is not kept, so the Idempotency-Key is ignored: it holds a secret that is shown once. */
export const ShownOnce = () => applyDecorators(SHOWN_ONCE(true), ApiExtension('x-shown-once', true));
const SHOWN_ONCE = Reflector.createDecorator<true>();

/**
 * All that the route does is to queue a job, with the request's id: a request that was cut off in the middle may be carried out again,
 * because it queues one job at most.
 */
export const QueuesJob = Reflector.createDecorator<true>();

/** The route finds out itself whether it was carried out, and answers as then: a request that was cut off may be carried out again. */
export const Repeatable = Reflector.createDecorator<true>();

/** Parameter decorator: the id of a request with an Idempotency-Key, the same when it is sent again; null without one. */
export const RequestId = createParamDecorator(
  (_: unknown, context: ExecutionContext): string | null =>
    context.switchToHttp().getRequest<HttpRequest>().idempotentId ?? null,
);

declare module 'express' {
  interface Request {
    idempotentId?: string;
  }
}

type Place = Pick<IdempotencyKey, 'userId' | 'path' | 'key'>;

/**
 * A POST with an `Idempotency-Key` is carried out once: sent again by the same user to the same path within 24 hours, it gets the first
 * answer again. A refused request leaves nothing, and may be sent again. After draft-ietf-httpapi-idempotency-key-header.
 */
@Injectable()
export class Idempotency implements NestInterceptor {
  constructor(
    private readonly database: DataSource,
    private readonly reflector: Reflector,
    private readonly settings: RunningSettings,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle();
    const request = context.switchToHttp().getRequest<HttpRequest>();
    const response = context.switchToHttp().getResponse<Response>();
    const { 'idempotency-key': key } = request.headers;
    if (request.method !== 'POST' || typeof key !== 'string' || !request.principal) return next.handle();
    if (this.reflector.get(SHOWN_ONCE, context.getHandler())) return next.handle();
    if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
      throw new Invalid([
        { path: 'Idempotency-Key', message: 'must be 1 to 255 printable ASCII characters without spaces' },
      ]);
    }
    const place: Place = { userId: request.principal.user.id, path: request.path, key };
    const bodyHash = this.hash(request.body);
    const again =
      this.reflector.get(QueuesJob, context.getHandler()) ?? this.reflector.get(Repeatable, context.getHandler());
    const requestId = (await this.claim(place, bodyHash)) ?? (again ? await this.unanswered(place, bodyHash) : null);
    if (requestId !== null) {
      // fault point: idempotency key claimed
      request.idempotentId = requestId;
      return next.handle().pipe(
        catchError((error: unknown) => from(this.refused(place, error))),
        concatMap((answer: unknown) => from(this.keep(place, response, answer))),
      );
    }
    return of(await this.repeat(place, bodyHash, response));
  }

  /** A body may hold a password: without the secret key nobody can try which body fits the hash. */
  private hash(body: unknown): Buffer {
    return createHmac('sha256', this.settings.secretKey)
      .update(`idempotency-key\0${JSON.stringify(body ?? null)}`)
      .digest();
  }

  /** The id of the first request; null for others. The primary key lets only one of those that come at the same time through. */
  private async claim(place: Place, bodyHash: Buffer): Promise<string | null> {
    const keys = this.database.getRepository(IdempotencyKey);
    const requestId = randomUUID();
    await keys.delete({ createdAt: LessThan(new Date(Date.now() - DAY)) });
    const { raw } = await keys
      .createQueryBuilder()
      .insert()
      .values({ ...place, bodyHash, requestId })
      .orIgnore()
      .returning('key')
      .execute();
    return Array.isArray(raw) && raw.length === 1 ? requestId : null;
  }

  /** The id of the first request when it has no answer: it is being carried out, or was cut off when its process ended. */
  private async unanswered(place: Place, bodyHash: Buffer): Promise<string | null> {
    const first = await this.database.getRepository(IdempotencyKey).findOneBy(place);
    return first?.status === null && first.bodyHash.equals(bodyHash) ? first.requestId : null;
  }

  private async keep(place: Place, response: Response, answer: unknown): Promise<unknown> {
    const location = response.getHeader('Location');
    // fault point: answer not yet kept
    await this.database.getRepository(IdempotencyKey).update(place, {
      status: response.statusCode,
      answer: answer === undefined ? null : JSON.stringify(answer),
      location: typeof location === 'string' ? location : null,
    });
    return answer;
  }

  /** Only a refusal is known to have done nothing; after anything else the key stays, and says so. */
  private async refused(place: Place, error: unknown): Promise<never> {
    if (problemBody(error).status < 500)
      await this.database.getRepository(IdempotencyKey).delete({ ...place, status: IsNull() });
    throw error;
  }

  private async repeat(place: Place, bodyHash: Buffer, response: Response): Promise<unknown> {
    const first = await this.database.getRepository(IdempotencyKey).findOneBy(place);
    if (!first || (first.status === null && first.bodyHash.equals(bodyHash))) {
      throw new Conflict('The request with this Idempotency-Key has no answer yet. Look whether it was carried out.');
    }
    if (!first.bodyHash.equals(bodyHash))
      throw new Conflict('This Idempotency-Key was used with another body: use a new key for a new request.');
    response.status(first.status ?? 200).setHeader('Idempotency-Replayed', 'true');
    if (first.location !== null) response.setHeader('Location', first.location);
    return first.answer === null ? undefined : JSON.parse(first.answer);
  }
}
