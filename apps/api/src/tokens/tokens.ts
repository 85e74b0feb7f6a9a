import { Injectable } from '@nestjs/common';
import { DataSource, In, LessThan } from 'typeorm';
import type { Principal } from '../auth/access.js';
import { LoginChanges } from '../auth/login-changes.js';
import { hashSecret, newSecret } from '../auth/secret.js';
import { type Page, page, type PageQuery } from '../paging/page.js';
import { type FieldError, Invalid, NotFound } from '../problems/problems.js';
import { Server } from '../servers/server.entity.js';
import type { NewToken } from './token.dto.js';
import { Token } from './token.entity.js';

/** A user's own API tokens. */
@Injectable()
export class Tokens {
  constructor(
    private readonly database: DataSource,
    private readonly changes: LoginChanges,
  ) {}

  async list(userId: number, { limit, cursor }: PageQuery): Promise<Page<Token>> {
    const rows = await this.database.getRepository(Token).find({
      where: { userId, ...(cursor === undefined ? {} : { id: LessThan(cursor) }) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return page(rows, limit);
  }

  /**
   * Makes a token. The secret is in the result and nowhere else.
   * @throws Invalid when it would end in the past or names servers that are not the user's
   */
  async create(owner: Pick<Principal, 'user' | 'admin'>, input: NewToken): Promise<{ token: Token; secret: string }> {
    const expiresAt = input.expiresAt ? new Date(input.expiresAt) : null;
    const serverIds = input.serverIds ?? null;
    const errors = [...expiryErrors(expiresAt), ...(await this.serverErrors(owner, serverIds ?? []))];
    if (errors.length > 0) throw new Invalid(errors);
    const secret = `l4m_${newSecret()}`;
    const tokens = this.database.getRepository(Token);
    const token = await tokens.save(
      tokens.create({
        userId: owner.user.id,
        name: input.name,
        secretHash: hashSecret(secret),
        scopes: input.scopes,
        serverIds,
        expiresAt,
        lastUsedAt: null,
      }),
    );
    return { token, secret };
  }

  /** @throws NotFound also for somebody else's */
  async revoke(userId: number, id: number): Promise<void> {
    const { affected } = await this.database.getRepository(Token).delete({ id, userId });
    if (affected !== 1) throw new NotFound(`token ${id}`);
    this.changes.tell(userId);
  }

  private async serverErrors(owner: Pick<Principal, 'user' | 'admin'>, ids: number[]): Promise<FieldError[]> {
    if (ids.length === 0) return [];
    const mine = await this.database.getRepository(Server).find({
      select: { id: true },
      where: { id: In(ids), ...(owner.admin ? {} : { ownerId: owner.user.id }) },
    });
    const visible = new Set(mine.map((server) => server.id));
    return ids.flatMap((id, at) =>
      visible.has(id) ? [] : [{ path: `serverIds.${at}`, message: `there is no server ${id}` }],
    );
  }
}

function expiryErrors(expiresAt: Date | null): FieldError[] {
  if (expiresAt === null) return [];
  if (Number.isNaN(expiresAt.getTime())) return [{ path: 'expiresAt', message: 'must be a date and time' }];
  return expiresAt > new Date() ? [] : [{ path: 'expiresAt', message: 'must be in the future' }];
}
