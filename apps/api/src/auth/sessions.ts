import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { CookieOptions, Request, Response } from 'express';
import { DataSource, type EntityManager, LessThan, Not } from 'typeorm';
import { RunningSettings } from '../config/settings.js';
import type { SessionInUse } from './access.js';
import { LoginChanges } from './login-changes.js';
import { hashSecret, newSecret } from './secret.js';
import { Session } from './session.entity.js';

export const SESSION_COOKIE = 'left4me_session';
const DAY = 24 * 60 * 60 * 1000;
const LIFETIME = 30 * DAY;

/** Browser logins. They end 30 days after they were last used. */
@Injectable()
export class Sessions {
  constructor(
    private readonly database: DataSource,
    private readonly settings: RunningSettings,
    private readonly changes: LoginChanges,
  ) {}

  /** Begins a session; the result is the cookie's value. Those that have ended are removed. */
  async begin(userId: number): Promise<string> {
    const secret = newSecret();
    const sessions = this.database.getRepository(Session);
    await sessions.delete({ expiresAt: LessThan(new Date()) });
    await sessions.insert({ secretHash: hashSecret(secret), userId, expiresAt: new Date(Date.now() + LIFETIME) });
    return secret;
  }

  /** The session and its user, unless it has ended or the user is disabled. */
  async find(secret: string): Promise<Session | null> {
    return this.database
      .getRepository(Session)
      .createQueryBuilder('session')
      .innerJoinAndSelect('session.user', 'user')
      .where('session.secretHash = :hash AND session.expiresAt > :now AND NOT user.disabled')
      .setParameters({ hash: hashSecret(secret), now: new Date() })
      .getOne();
  }

  /** Moves the end of the session in use on, once a day, and its cookie's with it. */
  async keep(request: Request, response: Response, session: SessionInUse): Promise<void> {
    const secret = sessionSecret(request.headers);
    if (secret === null || session.expiresAt.getTime() - Date.now() > LIFETIME - DAY) return;
    const expiresAt = new Date(Date.now() + LIFETIME);
    const { affected } = await this.database
      .getRepository(Session)
      .update({ secretHash: session.secretHash }, { expiresAt });
    if (affected === 1) this.setCookie(request, response, secret);
  }

  async end(secretHash: Buffer): Promise<void> {
    const sessions = this.database.getRepository(Session);
    const session = await sessions.findOneBy({ secretHash });
    if (!session) return;
    await sessions.delete({ secretHash });
    this.changes.tell(session.userId);
  }

  /** Ends the user's sessions, but for the one that is kept. */
  async endAll(userId: number, keep?: Buffer, manager: EntityManager = this.database.manager): Promise<void> {
    await manager.delete(Session, { userId, ...(keep ? { secretHash: Not(keep) } : {}) });
  }

  setCookie(request: Request, response: Response, secret: string): void {
    response.cookie(SESSION_COOKIE, secret, { ...this.cookie(request), maxAge: LIFETIME });
  }

  clearCookie(request: Request, response: Response): void {
    response.clearCookie(SESSION_COOKIE, this.cookie(request));
  }

  private cookie(request: Request): CookieOptions {
    // request.secure follows X-Forwarded-Proto of trusted proxies only.
    const secure = request.secure || this.settings.publicUrl?.startsWith('https://') === true;
    return { httpOnly: true, sameSite: 'lax', secure, path: '/' };
  }
}

/** The session cookie's value, where there is one. */
export function sessionSecret(headers: IncomingHttpHeaders): string | null {
  for (const part of (headers.cookie ?? '').split(';')) {
    const [name, value] = part.split('=', 2);
    if (name?.trim() === SESSION_COOKIE && value) return value.trim();
  }
  return null;
}
