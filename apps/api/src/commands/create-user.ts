import type { DataSource } from 'typeorm';
import { PASSWORD_MAX, PASSWORD_MIN } from '../auth/passwords.js';
import { Invalid } from '../problems/problems.js';
import { createAccount } from '../users/accounts.js';
import { USER_NAME, USER_NAME_RULE } from '../users/user.dto.js';
import type { User } from '../users/user.entity.js';

/** `left4me create-user`; the password comes from LEFT4ME_ADMIN_PASSWORD, never from the command line, where everybody sees it. */
export interface CreateUserRequest {
  name: string;
  admin: boolean;
  /** null: the variable is not set. */
  password: string | null;
}

/**
 * What can be said without the database.
 * @returns the password
 * @throws Invalid for a bad name or password, naming the variable
 */
export function checkNewUser({ name, password }: CreateUserRequest): string {
  if (!USER_NAME.test(name)) throw new Invalid([{ path: 'name', message: USER_NAME_RULE }]);
  if (password === null)
    throw new Invalid([{ path: 'LEFT4ME_ADMIN_PASSWORD', message: 'is not set; it gives the new user’s password' }]);
  if (password.length < PASSWORD_MIN || password.length > PASSWORD_MAX) {
    const message = `must have ${PASSWORD_MIN} to ${PASSWORD_MAX} characters`;
    throw new Invalid([{ path: 'LEFT4ME_ADMIN_PASSWORD', message }]);
  }
  return password;
}

/**
 * Makes a user.
 * @throws as checkNewUser; Conflict when the name is taken
 */
export async function createUser(database: DataSource, request: CreateUserRequest): Promise<User> {
  const password = checkNewUser(request);
  const { name, admin } = request;
  return createAccount(database, { name, password, role: admin ? 'admin' : 'user' });
}
