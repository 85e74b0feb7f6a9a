import { hkdfSync } from 'node:crypto';
import path from 'node:path';
import type { DataSource } from 'typeorm';
import { type RunningSettings, type Settings, WrongSettings } from '../config/settings.js';
import { OtherSecretKey, RconPasswords } from '../servers/rcon-password.js';

/** SECRET_KEY is not the one that the secrets in the database are encrypted with. */
export class WrongSecretKey extends WrongSettings {
  /** @param from where the wrong one is, as somebody may mend it */
  constructor(from: string) {
    super(
      `SECRET_KEY: ${from} is not the key that the secrets in this database are encrypted with. Set SECRET_KEY to the text ` +
        `of the file secret-key in the LEFT4ME_ROOT of the panel's first machine, or to the SECRET_KEY set there.`,
    );
  }
}

/**
 * Compares the key with the one that the database's secrets are encrypted with. The first process of a panel writes down what others
 * are compared with: a value derived from the key, from which neither the key nor what it encrypts with can be had.
 * @param given SECRET_KEY as it was set; null: the one kept in the state folder is used
 * @throws WrongSecretKey
 */
export async function checkSecretKey(
  database: DataSource,
  settings: Pick<RunningSettings, 'secretKey' | 'root'>,
  given: Settings['secretKey'],
): Promise<void> {
  const mine = Buffer.from(hkdfSync('sha256', settings.secretKey, '', 'left4me secret key check 1', 32));
  let known = await valueIn(database);
  if (!known && !(await opensStored(database, settings.secretKey))) throw wrong();
  if (!known) {
    // Of processes that start together one writes; the others wait here for it, and read what it wrote.
    await database.query(`INSERT INTO secret_key_check (value) VALUES ($1) ON CONFLICT DO NOTHING`, [mine]);
    known = await valueIn(database);
  }
  if (!known?.equals(mine)) throw wrong();

  function wrong(): WrongSecretKey {
    return new WrongSecretKey(given === null ? `the text of ${path.join(settings.root, 'secret-key')}` : 'what is set');
  }
}

async function valueIn(database: DataSource): Promise<Buffer | null> {
  const [row] = await database.query<{ value: Buffer }[]>(`SELECT value FROM secret_key_check`);
  return row?.value ?? null;
}

/** For a database from before there was a value to compare with: whether the key opens its oldest secret, if it has one. */
async function opensStored(database: DataSource, secretKey: string): Promise<boolean> {
  const [server] = await database.query<{ sealed: Buffer }[]>(
    `SELECT rcon_password AS sealed FROM servers ORDER BY id LIMIT 1`,
  );
  if (!server) return true;
  try {
    new RconPasswords({ secretKey }).open(server.sealed);
    return true;
  } catch (error) {
    if (error instanceof OtherSecretKey) return false;
    throw error;
  }
}
