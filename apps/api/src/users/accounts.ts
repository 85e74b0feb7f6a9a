import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager, LessThan, QueryFailedError } from 'typeorm';
import { LoginChanges } from '../auth/login-changes.js';
import { hashPassword } from '../auth/passwords.js';
import { Sessions } from '../auth/sessions.js';
import { type Page, page, type PageQuery } from '../paging/page.js';
import { Conflict, NotFound } from '../problems/problems.js';
import type { NewUser, UserChange } from './user.dto.js';
import { User } from './user.entity.js';

/** The users of the panel. */
@Injectable()
export class Accounts {
  constructor(
    private readonly database: DataSource,
    private readonly sessions: Sessions,
    private readonly changes: LoginChanges,
  ) {}

  /** The user of that name, whatever its case. */
  async byName(name: string): Promise<User | null> {
    return findByName(this.database.manager, name);
  }

  async list({ limit, cursor }: PageQuery): Promise<Page<User>> {
    const rows = await this.database.getRepository(User).find({
      where: cursor === undefined ? {} : { id: LessThan(cursor) },
      order: { id: 'DESC' },
      take: limit + 1,
    });
    return page(rows, limit);
  }

  create(user: NewUser): Promise<User> {
    return createAccount(this.database, user);
  }

  /**
   * Changes role, state or password. A disabled user, or one with a new password, is logged out everywhere,
   * but for `keep`, the session of whoever changes their own.
   * @throws NotFound, Conflict when it would leave the panel without an admin
   */
  async change(id: number, change: UserChange, keep?: Buffer): Promise<User> {
    const passwordHash = change.password === undefined ? undefined : await hashPassword(change.password);
    const changed = await this.database.transaction(async (manager) => {
      // Locked in one order: two admins who disable each other at the same time are seen one after the other.
      const admins = await manager
        .createQueryBuilder(User, 'user')
        .where(`user.role = 'admin' AND NOT user.disabled`)
        .orderBy('user.id')
        .setLock('pessimistic_write')
        .getMany();
      const user = await manager.findOneBy(User, { id });
      if (!user) throw new NotFound(`user ${id}`);
      if (change.role !== undefined) user.role = change.role;
      if (change.disabled !== undefined) user.disabled = change.disabled;
      if (passwordHash !== undefined) user.passwordHash = passwordHash;
      const remains = user.role === 'admin' && !user.disabled;
      if (!remains && admins.length === 1 && admins[0]?.id === id) {
        throw new Conflict(`${user.name} is the last admin who can log in. Make somebody else an admin first.`);
      }
      await manager.save(user);
      if (user.disabled || passwordHash !== undefined) await this.sessions.endAll(id, keep, manager);
      return user;
    });
    this.changes.tell(id);
    return changed;
  }

  async setPassword(id: number, password: string): Promise<void> {
    await this.database.getRepository(User).update({ id }, { passwordHash: await hashPassword(password) });
  }

  async loggedIn(user: User): Promise<User> {
    user.lastLoginAt = new Date();
    await this.database.getRepository(User).update({ id: user.id }, { lastLoginAt: user.lastLoginAt });
    return user;
  }
}

/**
 * Makes an account; also for the command line, where no application runs.
 * @throws Conflict naming the account that has the name
 */
export async function createAccount(database: DataSource, { name, password, role }: NewUser): Promise<User> {
  const taken = await findByName(database.manager, name);
  if (taken) throw nameTaken(taken.name);
  const users = database.getRepository(User);
  const user = users.create({
    name,
    role,
    passwordHash: await hashPassword(password),
    disabled: false,
    lastLoginAt: null,
  });
  try {
    return await users.save(user);
  } catch (error) {
    // Somebody else was faster; the index on lower(name) is the judge.
    if (error instanceof QueryFailedError && (await findByName(database.manager, name))) throw nameTaken(name);
    throw error;
  }
}

function nameTaken(name: string): Conflict {
  return new Conflict(`There is already a user named ${name}.`);
}

function findByName(manager: EntityManager, name: string): Promise<User | null> {
  return manager.createQueryBuilder(User, 'user').where('lower(user.name) = lower(:name)', { name }).getOne();
}
