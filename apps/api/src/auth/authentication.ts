import type { IncomingHttpHeaders } from 'node:http';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { NotLoggedIn } from '../problems/problems.js';
import { scopes, Token } from '../tokens/token.entity.js';
import type { Principal } from './access.js';
import { hashSecret } from './secret.js';
import type { Session } from './session.entity.js';
import { Sessions, sessionSecret } from './sessions.js';

const MINUTE = 60 * 1000;

/** Who a request comes from, by its headers: a token or a session. The same for REST, WebSocket and Bull board. */
@Injectable()
export class Authentication {
  constructor(
    private readonly database: DataSource,
    private readonly sessions: Sessions,
  ) {}

  /** @throws NotLoggedIn when nobody is, or the session or token is not valid (any more) */
  async authenticate(headers: IncomingHttpHeaders): Promise<Principal> {
    if (headers.authorization !== undefined) return this.byToken(headers.authorization);
    const secret = sessionSecret(headers);
    if (secret === null) throw new NotLoggedIn('Log in first.');
    const session = await this.sessions.find(secret);
    if (!session) throw new NotLoggedIn('The session has ended. Log in again.');
    return ofSession(session);
  }

  private async byToken(authorization: string): Promise<Principal> {
    const secret = /^Bearer +(l4m_[\w-]{43})$/i.exec(authorization)?.[1];
    if (!secret) throw new NotLoggedIn('The Authorization header must be "Bearer l4m_…".');
    const tokens = this.database.getRepository(Token);
    const token = await tokens
      .createQueryBuilder('token')
      .innerJoinAndSelect('token.user', 'user')
      .where('token.secretHash = :hash', { hash: hashSecret(secret) })
      .getOne();
    const now = new Date();
    if (!token || token.user.disabled) throw new NotLoggedIn('The token is not valid.');
    if (token.expiresAt && token.expiresAt <= now) throw new NotLoggedIn('The token has expired.');
    if (!token.lastUsedAt || now.getTime() - token.lastUsedAt.getTime() > MINUTE) {
      await tokens.update({ id: token.id }, { lastUsedAt: now });
    }
    return {
      user: token.user,
      admin: token.user.role === 'admin',
      scopes: token.scopes,
      serverIds: token.serverIds,
      tokenId: token.id,
    };
  }
}

export function ofSession(session: Session): Principal {
  return {
    user: session.user,
    admin: session.user.role === 'admin',
    scopes,
    serverIds: null,
    session: { secretHash: session.secretHash, expiresAt: session.expiresAt },
  };
}
