import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import type { DataSource } from 'typeorm';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../src/database/data-source.js';
import { checkSecretKey, WrongSecretKey } from '../src/panel/secret-key-check.js';
import { SecretValues } from '../src/secrets/secret-values.js';
import { RconPasswords } from '../src/servers/rcon-password.js';
import { type FreshDatabase, freshDatabase } from './database.js';
import { StateFolder } from './state-folder.js';

let fresh: FreshDatabase;
let database: DataSource;
beforeEach(async () => {
  fresh = await freshDatabase(async (url) => (await openDatabase(url)).destroy());
  database = await openDatabase(fresh.url);
});
afterEach(async () => {
  await database.destroy();
  await fresh.drop();
});

const newKey = () => randomBytes(32).toString('base64url');
const check = (key: string, secretKey: string | null = key, apiEnabled = true) =>
  checkSecretKey(database, key, { secretKey, apiEnabled, root: '/state' });

/** A server as an earlier version left it. */
async function serverOf(secretKey: string): Promise<void> {
  await database.query(`
    WITH host AS (INSERT INTO hosts (name) VALUES ('local') RETURNING id),
      owner AS (INSERT INTO users (name, password_hash, role) VALUES ('admin', '', 'admin') RETURNING id),
      blueprint AS (INSERT INTO blueprints (name, owner_id) SELECT 'b', id FROM owner RETURNING id)
    INSERT INTO servers (name, title, port, host_id, blueprint_id, owner_id, rcon_password)
    SELECT 's', 's', 27015, host.id, blueprint.id, owner.id, '\\x${new RconPasswords({ secretKey }).generate().toString('hex')}'
    FROM host, owner, blueprint`);
}

describe('the key that the secrets of a database are encrypted with', () => {
  it('is that of the first process; another one is refused, and where the right one is said', async () => {
    const key = newKey();
    await check(key);
    await check(key);
    await expect(check(newKey())).rejects.toThrow(WrongSecretKey);
    await expect(check(newKey())).rejects.toThrow(
      "SECRET_KEY: what is set is not the key that the secrets in this database are encrypted with. Set SECRET_KEY to the text of the file secret-key in the LEFT4ME_ROOT of the panel's first machine,",
    );
    await expect(check(newKey(), null)).rejects.toThrow('SECRET_KEY: the text of /state/secret-key is not the key');
    await check(key);
  });

  it('is one key, however many processes start at once on an empty database', async () => {
    const [one, two] = [newKey(), newKey()];
    const starts = Array.from({ length: 12 }, (_, index) => (index % 2 ? one : two));
    const outcomes = await Promise.allSettled(starts.map((key) => check(key)));
    const accepted = new Set(starts.filter((_, index) => outcomes[index]?.status === 'fulfilled'));
    expect(accepted.size).toBe(1);
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(6);
  });

  it('is known by a stored password where an earlier version has left no value to compare with', async () => {
    const key = newKey();
    await serverOf(key);
    await expect(check(newKey())).rejects.toThrow(WrongSecretKey);
    await check(key);
    await expect(check(newKey())).rejects.toThrow(WrongSecretKey);
  });

  it('is known by a user’s secret where there is no server', async () => {
    const key = newKey();
    await database.query(
      `WITH owner AS (INSERT INTO users (name, password_hash, role) VALUES ('admin', '', 'admin') RETURNING id)
       INSERT INTO secrets (owner_id, name, sealed) SELECT id, 'A', $1 FROM owner`,
      [new SecretValues({ secretKey: key }).seal('some value')],
    );
    await expect(check(newKey())).rejects.toThrow(WrongSecretKey);
    await check(key);
  });

  it('is not set by a worker that only found one in its folder', async () => {
    await expect(check(newKey(), null, false)).rejects.toThrow(
      'SECRET_KEY: no API has run on this database yet, so the key of its secrets is not known: start the API first, or give SECRET_KEY.',
    );
    const key = newKey();
    await check(key);
    await check(key, null, false);
    await expect(check(newKey(), null, false)).rejects.toThrow(WrongSecretKey);
  });

  it('may be set by a worker that was given one', async () => {
    const key = newKey();
    await check(key, key, false);
    await expect(check(newKey())).rejects.toThrow(WrongSecretKey);
  });

  it('is not what is written down', async () => {
    const key = newKey();
    await check(key);
    const [{ value }] = await database.query<[{ value: Buffer }]>('SELECT value FROM secret_key_check');
    expect(value).toHaveLength(32);
    expect(value.equals(Buffer.from(key, 'base64url'))).toBe(false);
  });
});

it.each(['api', 'worker', 'all'])('a process with --role %s and another key does not start', async (role) => {
  await check(newKey());
  const folder = await StateFolder.make();
  const env = { DATABASE_URL: fresh.url, REDIS_URL: inject('redisUrl'), SECRET_KEY: newKey() };
  const { code, stdout, stderr } = await folder.finish(['--role', role], env);
  await folder.remove();
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^SECRET_KEY: what is set is not the key that .*\n$/);
});

it('an API without a key on a database that has one is refused, and makes none up', async () => {
  await check(newKey());
  const folder = await StateFolder.make();
  const env = { DATABASE_URL: fresh.url, REDIS_URL: inject('redisUrl') };
  const { code, stdout, stderr } = await folder.finish(['--role', 'api'], env);
  const left = await readdir(folder.root);
  await folder.remove();
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(
    /^SECRET_KEY: the secrets .* a key that is not here: there is no .*\/secret-key\. Set SECRET_KEY .*\n$/,
  );
  expect(left.filter((name) => name.startsWith('secret-key'))).toEqual([]);
});
