import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host, HostOptions } from '@left4me/host';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { createApp } from '../src/app.js';
import { readSettings, type RunningSettings } from '../src/config/settings.js';
import { Jobs } from '../src/jobs/jobs.service.js';
import { createAccount } from '../src/users/accounts.js';
import type { Place } from './services.js';

const PASSWORD = 'correct horse battery';
const made = z.object({ id: z.number() });
const listening = z.object({ port: z.number() });

/** A whole panel with its worker, and an admin who is logged in. */
export interface Panel {
  app: NestExpressApplication;
  database: DataSource;
  jobs: Jobs;
  hostId: number;
  /** http://127.0.0.1:port */
  url: string;
  cookie: string;
  /** Makes servers named s1, s2, … @returns their ids */
  servers(count: number): Promise<number[]>;
  /** Posts to the REST API. @returns the id of what was made */
  post(path: string, body: unknown): Promise<number>;
  close(): Promise<void>;
}

/** Starts a panel as it ships, but for its machine. */
export async function startPanel(
  place: Pick<Place, 'databaseUrl' | 'redisUrl' | 'redisPrefix'>,
  folder: string,
  openHost: (options: HostOptions) => Promise<Host>,
  overrides: Partial<RunningSettings> = {},
): Promise<Panel> {
  const settings: RunningSettings = {
    ...readSettings({}, { root: join(folder, place.redisPrefix) }),
    databaseUrl: place.databaseUrl,
    redisUrl: place.redisUrl,
    redisPrefix: place.redisPrefix,
    secretKey: randomBytes(32).toString('hex'),
    port: 0,
    ...overrides,
  };
  await mkdir(settings.root);
  const app = await createApp(settings, { logger: ['error', 'fatal'], closeOnSignals: false, openHost });
  await app.listen(settings.port, settings.bind);
  const url = `http://127.0.0.1:${listening.parse(app.getHttpServer().address()).port}`;
  const database = app.get(DataSource);
  const [{ id: hostId }] = await database.query<[{ id: number }]>(`SELECT id FROM hosts WHERE name = 'local'`);
  const cookie = await logIn(url, database);
  const post = async (path: string, body: unknown): Promise<number> => {
    const headers = { cookie, 'content-type': 'application/json' };
    const response = await fetch(`${url}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`POST ${path}: ${await response.text()}`);
    return made.parse(await response.json()).id;
  };
  return {
    app,
    database,
    jobs: app.get(Jobs),
    hostId,
    url,
    cookie,
    post,
    servers: async (count) => {
      const blueprintId = await post('/blueprints', { name: 'bench' });
      const ids: number[] = [];
      for (let n = 1; n <= count; n += 1) ids.push(await post('/servers', { name: `s${n}`, blueprintId }));
      return ids;
    },
    close: () => app.close(),
  };
}

async function logIn(url: string, database: DataSource): Promise<string> {
  await createAccount(database, { name: 'admin', password: PASSWORD, role: 'admin' });
  const response = await fetch(`${url}/api/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'admin', password: PASSWORD }),
  });
  const cookie = response.headers.get('set-cookie')?.split(';')[0];
  if (cookie === undefined) throw new Error(`nobody could log in: ${response.status}`);
  return cookie;
}
