import { hkdfSync } from 'node:crypto';
import path from 'node:path';
import type { DataSource } from 'typeorm';
import { type Settings, WrongSettings } from '../config/settings.js';
import { OtherSecretKey } from '../secrets/sealed-texts.js';
import { SecretValues } from '../secrets/secret-values.js';
import { RconPasswords } from '../servers/rcon-password.js';
import { RIGHT_KEY, secretKeyIn } from './secret-key.js';

/** SECRET_KEY is not the one that the secrets in the database are encrypted with. */
export class WrongSecretKey extends WrongSettings {
  /** @param from where the wrong one is, as somebody may mend it */
  constructor(from: string) {
    super(`SECRET_KEY: ${from} is not the key that the secrets in this database are encrypted with. ${RIGHT_KEY}`);
  }
}

/** What decides about the key of a process: SECRET_KEY as it was set, or null, and whose key it would be otherwise. */
type KeySettings = Pick<Settings, 'secretKey' | 'root' | 'apiEnabled'>;

/**
 * The key of a process on this database: the one given, otherwise the one kept in its state folder, which an API makes up for a new
 * database.
 * @throws WrongSettings when it is not the key of the database, or there is none
 */
export async function secretKeyFor(database: DataSource, settings: KeySettings): Promise<string> {
  const encrypted = (await valueIn(database)) !== null || (await oldestSecret(database)) !== null;
  const secretKey = settings.secretKey ?? (await secretKeyIn(settings, encrypted));
  await checkSecretKey(database, secretKey, settings);
  return secretKey;
}

/**
 * Compares the key with the one that the database's secrets are encrypted with. The first process of a panel writes down what others
 * are compared with: a value derived from the key, from which neither the key nor what it encrypts with can be had. A worker whose key
 * only happens to lie in its folder is never that first process.
 * @throws WrongSettings
 */
export async function checkSecretKey(database: DataSource, key: string, settings: KeySettings): Promise<void> {
  const given = settings.secretKey !== null;
  const mine = checkValueOf(key);
  let known = await valueIn(database);
  if (!known && !(await opensStored(database, key))) throw wrong();
  if (!known && !given && !settings.apiEnabled)
    throw new WrongSettings(
      'SECRET_KEY: no API has run on this database yet, so the key of its secrets is not known: start the API first, or give SECRET_KEY.',
    );
  if (!known) {
    // Of processes that start together one writes; the others wait here for it, and read what it wrote.
    await database.query(`INSERT INTO secret_key_check (value) VALUES ($1) ON CONFLICT DO NOTHING`, [mine]);
    known = await valueIn(database);
  }
  if (!known?.equals(mine)) throw wrong();

  function wrong(): WrongSecretKey {
    return new WrongSecretKey(given ? 'what is set' : `the text of ${path.join(settings.root, 'secret-key')}`);
  }
}

/** What is kept in the database of a key: neither the key nor what it encrypts with can be had from it. */
export function checkValueOf(secretKey: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secretKey, '', 'left4me secret key check 1', 32));
}

async function valueIn(database: DataSource): Promise<Buffer | null> {
  const [row] = await database.query<{ value: Buffer }[]>(`SELECT value FROM secret_key_check`);
  return row?.value ?? null;
}

/** For a database from before there was a value to compare with: whether the key opens its oldest secret, if it has one. */
async function opensStored(database: DataSource, secretKey: string): Promise<boolean> {
  const stored = await oldestSecret(database);
  if (!stored) return true;
  const texts = stored.of === 'server' ? new RconPasswords({ secretKey }) : new SecretValues({ secretKey });
  try {
    texts.open(stored.sealed);
    return true;
  } catch (error) {
    if (error instanceof OtherSecretKey) return false;
    throw error;
  }
}

interface Stored {
  of: 'server' | 'user';
  sealed: Buffer;
}

async function oldestSecret(database: DataSource): Promise<Stored | null> {
  const [stored] = await database.query<Stored[]>(
    `(SELECT 'server' AS of, rcon_password AS sealed FROM servers ORDER BY id LIMIT 1)
     UNION ALL (SELECT 'user', sealed FROM secrets ORDER BY id LIMIT 1) LIMIT 1`,
  );
  return stored ?? null;
}
