import { randomBytes } from 'node:crypto';
import type { DataSource } from 'typeorm';
import { createUser } from '../commands/create-user.js';
import { User } from '../users/user.entity.js';

const NAME = 'admin';

/**
 * Makes the first admin of an empty panel.
 * @param given the password from LEFT4ME_ADMIN_PASSWORD; null: one is made up
 * @returns what to tell, once, at the terminal; null when there are users already
 */
export async function firstAdmin(database: DataSource, given: string | null): Promise<string | null> {
  if ((await database.getRepository(User).count()) > 0) return null;
  const password = given ?? randomBytes(12).toString('base64url');
  await createUser(database, { name: NAME, admin: true, password });
  if (given !== null) return `The first admin is "${NAME}", with the password from LEFT4ME_ADMIN_PASSWORD.`;
  return `The first admin is "${NAME}", password: ${password}   (shown only now; change it under Account)`;
}
