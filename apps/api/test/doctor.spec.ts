import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../src/database/data-source.js';
import { examineDrafts } from '../src/doctor/examine-drafts.js';
import { examineAddresses, examineDatabase, examineRedis } from '../src/doctor/examine-services.js';
import { checkSecretKey } from '../src/panel/secret-key-check.js';
import { readSettings } from '../src/config/settings.js';
import { type FreshDatabase, freshDatabase } from './database.js';
import { StateFolder } from './state-folder.js';

const KEY = 'a key of thirty-two characters or more';
const NOBODY = '127.0.0.1:9'; // the discard port: nothing listens there

describe('left4me doctor, of PostgreSQL', () => {
  let database: FreshDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());

  it('says that it does not answer, and what to do', async () => {
    const [finding, ...more] = await examineDatabase(`postgres://left4me@${NOBODY}/left4me`, null);
    expect(finding).toMatchObject({ state: 'bad', about: 'PostgreSQL', mend: 'start it, or correct DATABASE_URL' });
    expect(finding?.found).toMatch(/^it does not answer: .*ECONNREFUSED/);
    expect(more).toEqual([]);
  });

  it('changes nothing in an empty database, and judges schema and workers once there are tables', async () => {
    expect(await examineDatabase(database.url, null)).toMatchObject([
      { state: 'good', about: 'PostgreSQL' },
      { state: 'warning', about: 'database', found: 'it is empty' },
    ]);
    const opened = await openDatabase(database.url);
    try {
      await opened.query(`INSERT INTO hosts (name) VALUES ('never')`);
      await opened.query(`INSERT INTO hosts (name, worker_seen_at) VALUES ('alive', clock_timestamp())`);
      await opened.query(
        `INSERT INTO hosts (name, worker_seen_at) VALUES ('silent', clock_timestamp() - interval '1 hour')`,
      );
      await opened.query(
        `INSERT INTO hosts (name, worker_seen_at, worker_stopped) VALUES ('stopped', clock_timestamp(), true)`,
      );
      await opened.query(
        `INSERT INTO hosts (name, worker_seen_at, worker_stopped, service_manager) VALUES ('unit', clock_timestamp(), true, 'systemd')`,
      );
      const findings = await examineDatabase(database.url, null);
      const ofUnit = findings.find(({ about }) => about === 'worker of unit');
      expect(ofUnit?.mend).toContain('journalctl -u left4me-worker -n 20');
      expect(ofUnit?.mend).not.toContain('npm start');
      const states = Object.fromEntries(findings.map(({ about, state }) => [about, state]));
      expect(states).toEqual({
        PostgreSQL: 'good',
        database: 'good',
        'worker of never': 'warning',
        'worker of alive': 'good',
        'worker of silent': 'bad',
        'worker of stopped': 'warning',
        'worker of unit': 'bad',
      });
      await checkSecretKey(opened, KEY, { secretKey: KEY, root: '/nowhere', apiEnabled: true });
      const ofKey = async (key: string | null) =>
        (await examineDatabase(database.url, key)).find(({ about }) => about === 'SECRET_KEY')?.state;
      expect([await ofKey(KEY), await ofKey('another key of more than 32 characters'), await ofKey(null)]).toEqual([
        'good',
        'bad',
        'bad',
      ]);
      await opened.query(`DELETE FROM migrations WHERE name LIKE 'HostWorkers%'`);
      expect(await examineDatabase(database.url, KEY)).toContainEqual(
        expect.objectContaining({ state: 'warning', found: '1 migrations are missing' }),
      );
      await opened.query(
        `INSERT INTO migrations (timestamp, name) VALUES (1, 'FromTheFuture1'), (2, 'FromTheFuture2')`,
      );
      expect(await examineDatabase(database.url, KEY)).toContainEqual(
        expect.objectContaining({ state: 'bad', found: 'a newer left4me has been at work here' }),
      );
    } finally {
      await opened.destroy();
    }
  });
});

describe('left4me doctor, of Redis', () => {
  it('says that it does not answer, and what to do', async () => {
    const [finding] = await examineRedis(`redis://${NOBODY}`);
    expect(finding).toMatchObject({ state: 'bad', about: 'Redis', mend: 'start it, or correct REDIS_URL' });
    expect(finding?.found).toContain('ECONNREFUSED');
  });

  it('tells the version of one that does', async () => {
    const [finding] = await examineRedis(inject('redisUrl'));
    expect(finding).toMatchObject({ state: 'good', about: 'Redis' });
    expect(finding?.found).toMatch(/^\d+\.\d+\.\d+ answers$/);
  });
});

describe('left4me doctor, of addresses', () => {
  it.each([
    [{}, 'good'],
    [{ LEFT4ME_BIND: '0.0.0.0' }, 'warning'],
    [{ LEFT4ME_PUBLIC_URL: 'https://l4d2.example.org' }, 'warning'],
    [{ LEFT4ME_PUBLIC_URL: 'https://l4d2.example.org', LEFT4ME_TRUSTED_PROXIES: 'loopback' }, 'good'],
  ])('%j', (env, state) => {
    expect(examineAddresses(readSettings(env, { root: '/nowhere' }))).toMatchObject([{ state }]);
  });
});

describe('left4me doctor, of an API by itself', () => {
  it('looks whether the drafts can be written', async () => {
    const root = await mkdtemp(join(tmpdir(), 'left4me-test-'));
    expect(await examineDrafts(root)).toMatchObject([{ state: 'bad', about: 'drafts' }]);
    await mkdir(join(root, 'drafts'));
    expect(await examineDrafts(root)).toMatchObject([{ state: 'good', about: 'drafts' }]);
    await rm(root, { recursive: true });
  });
});

describe('left4me doctor, of a machine', () => {
  it(
    'tells of everything, as text and as JSON, and ends with 1 when something is bad',
    { timeout: 120_000 },
    async () => {
      const folder = await StateFolder.make();
      const fine = await folder.finish(['doctor'], {});
      expect(fine).toMatchObject({ code: 0, stderr: '' });
      expect(fine.stdout).toMatch(/^good {5}PostgreSQL: the panel brings its own$/m);
      expect(fine.stdout).toMatch(/^warning {2}game: it is not installed\n {9}→ press Install/m);
      expect(fine.stdout).toMatch(/\d+ good, \d+ to be considered, 0 bad\.\n$/);

      const none = join(await mkdtemp(join(tmpdir(), 'left4me-test-')), 'none');
      const wrong = await folder.finish(['doctor', '--json'], { REDIS_URL: `redis://${NOBODY}`, LEFT4ME_ROOT: none });
      await rm(join(none, '..'), { recursive: true });
      expect(wrong.code).toBe(1);
      const findings: unknown = JSON.parse(wrong.stdout);
      expect(findings).toContainEqual(expect.objectContaining({ state: 'bad', about: 'Redis' }));
      expect(findings).toContainEqual(
        expect.objectContaining({ state: 'bad', about: 'state folder', found: `${none} does not exist` }),
      );
    },
  );
});
