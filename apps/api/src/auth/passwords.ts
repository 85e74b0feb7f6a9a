import { hash, verify } from '@node-rs/argon2';

/** argon2id, at least what OWASP's password storage cheat sheet asks for (19 MiB, 2 passes, 1 lane). */
const cost = { memoryCost: 19_456, timeCost: 3, parallelism: 1 };

export const PASSWORD_MIN = 8;
export const PASSWORD_MAX = 256;

let decoy: Promise<string> | undefined;

/** argon2id in PHC string format. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, cost);
}

/**
 * Whether the password fits the hash. Without a hash (nobody has that name) it is false, after the same time,
 * so that the time does not tell which names exist.
 */
export async function verifyPassword(passwordHash: string | null, password: string): Promise<boolean> {
  decoy ??= hashPassword('nobody has this password');
  const fits = await verify(passwordHash ?? (await decoy), password);
  return passwordHash !== null && fits;
}
