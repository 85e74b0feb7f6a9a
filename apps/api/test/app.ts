import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import supertest from 'supertest';
import { DataSource } from 'typeorm';
import { type AppOptions, createApp } from '../src/app.js';
import type { RunningSettings } from '../src/config/settings.js';
import { openDatabase } from '../src/database/data-source.js';
import { createAccount } from '../src/users/accounts.js';
import type { Role } from '../src/users/user.entity.js';
import { freshDatabase, freshRedis } from './database.js';

/** supertest with the session cookie of somebody who is logged in. */
export type Agent = ReturnType<typeof supertest.agent>;

export const PASSWORD = 'correct horse battery';

/** A whole panel on a database and Redis keys of its own, listening on a free port. */
export interface TestApp {
  app: NestExpressApplication;
  settings: RunningSettings;
  /** http://127.0.0.1:port */
  url: string;
  database: DataSource;
  /** Nobody. */
  anonymous: Agent;
  /** The user "admin", an admin. */
  admin: Agent;
  /** Makes a user (a new one at each call unless named) and logs them in. */
  user(name?: string, role?: Role): Promise<Agent>;
  /** Logs somebody in; the session is checked to begin. */
  logIn(name: string, password?: string): Promise<Agent>;
  /** Ends the panel and removes what it had. */
  close(): Promise<void>;
}

/** Starts a panel for a test file. The worker is off unless the settings turn it on. */
export async function startApp(overrides: Partial<RunningSettings> = {}, options: AppOptions = {}): Promise<TestApp> {
  const fresh = await freshDatabase(async (url) => (await openDatabase(url)).destroy());
  const redis = freshRedis();
  const root = await mkdtemp(path.join(tmpdir(), 'left4me-app-'));
  const settings: RunningSettings = {
    databaseUrl: fresh.url,
    redisUrl: redis.url,
    redisPrefix: redis.prefix,
    secretKey: randomBytes(32).toString('hex'),
    root,
    port: 0,
    bind: '127.0.0.1',
    publicUrl: null,
    trustedProxies: [],
    adminPassword: null,
    host: 'local',
    serviceManager: 'process',
    steamcmd: null,
    keptFiles: [],
    apiEnabled: true,
    workerEnabled: false,
    workerConcurrency: 16,
    pollerIntervalSeconds: 30,
    jobLogReplayLimit: 2000,
    keptRevisions: 5,
    trashDays: 30,
    // Nobody answers there.
    workshopUrl: 'http://127.0.0.1:1',
    workshopDownloads: 4,
    ...overrides,
  };
  const app = await createApp(settings, { logger: ['error', 'fatal'], closeOnSignals: false, ...options });
  await app.listen(settings.port, settings.bind);
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const database = app.get(DataSource);
  await createAccount(database, { name: 'admin', password: PASSWORD, role: 'admin' });

  const logIn = async (name: string, password = PASSWORD): Promise<Agent> => {
    const agent = supertest.agent(url);
    await agent.post('/api/v1/auth/login').send({ username: name, password }).expect(200);
    return agent;
  };
  return {
    app,
    settings,
    url,
    database,
    anonymous: supertest.agent(url),
    admin: await logIn('admin'),
    logIn,
    user: async (name = `user-${randomBytes(4).toString('hex')}`, role = 'user') => {
      await createAccount(database, { name, password: PASSWORD, role });
      return logIn(name);
    },
    close: async () => {
      await app.close();
      await fresh.drop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
