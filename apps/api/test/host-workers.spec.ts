import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConsoleLogger } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import supertest from 'supertest';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createApp } from '../src/app.js';
import type { RunningSettings } from '../src/config/settings.js';
import { HostServed } from '../src/hosts/host-presence.js';
import { HostRow } from '../src/hosts/host.entity.js';
import { PASSWORD } from './app.js';
import { eventually } from './eventually.js';
import { type QueuePanel, startQueue } from './queue-panel.js';
import { StandInHost } from './stand-in-host.js';

/** What the panels of this file have to say. */
class Said extends ConsoleLogger {
  readonly errors: string[] = [];
  override log(): void {}
  override warn(): void {}
  override debug(): void {}
  override error(message: unknown): void {
    this.errors.push(String(message));
  }
}

let panel: QueuePanel;
let elsewhere: string;
let others: NestExpressApplication[];
let said: Said;
beforeAll(async () => {
  elsewhere = await mkdtemp(path.join(tmpdir(), 'left4me-elsewhere-'));
});
afterAll(() => rm(elsewhere, { recursive: true, force: true }));
beforeEach(async () => {
  others = [];
  said = new Said();
  panel = await startQueue();
});
afterEach(async () => {
  await Promise.all(others.map((app) => app.close()));
  await panel.close();
});

/** Another process of the same panel, on the same database and Redis. */
async function another(overrides: Partial<RunningSettings>, host = new StandInHost()): Promise<NestExpressApplication> {
  const options = { logger: said, closeOnSignals: false, openHost: host.open };
  const settings: RunningSettings = Object.assign({}, panel.settings, overrides);
  const app = await createApp(settings, options);
  others.push(app);
  return app;
}

const incarnation = async () =>
  (await panel.database.query<{ incarnation: string }[]>(`SELECT incarnation FROM hosts`))[0]?.incarnation;

describe('a second worker of a host', { timeout: 120_000 }, () => {
  it('is refused while the first lives, in one sentence, and the first goes on', async () => {
    const before = await incarnation();
    const refusal = another({ root: elsewhere });
    await expect(refusal).rejects.toThrow(HostServed);
    await expect(refusal).rejects.toThrow(
      'LEFT4ME_HOST: the host local is served by another worker, on this machine with another LEFT4ME_ROOT.',
    );
    expect(await incarnation()).toBe(before);
    await panel.server('alpha');
    expect(await panel.ended((await panel.queue('alpha', 'start')).id)).toMatchObject({ state: 'succeeded' });
  });

  it('is refused on another machine, until the first was not seen for 15 s', async () => {
    await panel.app.close();
    const database = (await another({ workerEnabled: false })).get(DataSource);
    const seen = (secondsAgo: number) =>
      database.query(
        `UPDATE hosts SET machine_id = 'far away', worker_stopped = false,
           worker_seen_at = clock_timestamp() - make_interval(secs => $1)`,
        [secondsAgo],
      );
    // However long the other takes until it asks.
    const over = new AbortController();
    const stayingSeen = (async () => {
      for (; !over.signal.aborted; await sleep(50)) await seen(10);
    })();
    try {
      await expect(another({})).rejects.toThrow('served by another worker, on the machine far away.');
    } finally {
      over.abort();
      await stayingSeen;
    }
    await seen(16);
    await another({});
  });

  it('takes over at once on the state folder of the first, which gives up its jobs and takes no more', async () => {
    await panel.server('alpha');
    panel.host.hold('start', 'alpha');
    const held = await panel.queue('alpha', 'start');
    await panel.reaches(held.id, 'running');

    const host = new StandInHost();
    // What the first has launched goes on.
    host.set('alpha', 'running', { generation: 4, nextGeneration: 4 });
    const second = await another({}, host);
    const error = 'interrupted: the worker ended while the job ran. The server is running (generation 4).';
    expect(await panel.job(held.id)).toMatchObject({ state: 'failed', error });
    expect((await panel.admin.get('/api/v1/servers/alpha').expect(200)).body).toMatchObject({
      actualState: 'running',
      lastError: `start failed: ${error}`,
    });
    expect((await panel.log(held.id)).at(-1)).toMatchObject({
      stream: 'system',
      line:
        'The worker ended while this job ran, and its commands with it; the job is not run again by itself. ' +
        'The server is running (generation 4).',
    });
    await eventually('the first notices', () => said.errors.length > 0);
    expect(said.errors.join()).toContain('Another worker serves host local now');
    await eventually('the first has ended its job', () => panel.host.calls.at(-1)?.to !== null);
    const taken = panel.host.begun.length;

    for (const name of ['bravo', 'charlie', 'delta']) {
      await panel.server(name);
      expect(await panel.ended((await panel.queue(name, 'start')).id)).toMatchObject({ state: 'succeeded' });
    }
    expect(host.begun).toEqual(expect.arrayContaining(['start bravo', 'start charlie', 'start delta']));
    expect(panel.host.begun).toHaveLength(taken);
    expect(said.errors).toHaveLength(1);

    // An orderly end of the first does not put the second offline.
    await panel.app.close();
    expect(await second.get(DataSource).manager.find(HostRow)).toMatchObject([{ online: true }]);
  });
});

describe('a host', { timeout: 120_000 }, () => {
  it('is online by the clock of the database, whatever that of a process says', async () => {
    const now = Date.now();
    const clock = vi.spyOn(Date, 'now').mockReturnValue(now + 3_600_000);
    try {
      expect(await panel.database.manager.find(HostRow)).toMatchObject([{ online: true }]);
    } finally {
      clock.mockRestore();
    }
  });

  it('has servers of unknown state and jobs that wait for it while its worker is gone', async () => {
    await panel.server('alpha');
    await panel.server('never-started');
    expect(await panel.ended((await panel.queue('alpha', 'start')).id)).toMatchObject({ state: 'succeeded' });
    const running = (await panel.admin.get('/api/v1/servers/alpha').expect(200)).body;
    expect(running).toMatchObject({ actualState: 'running', desiredState: 'running' });

    const closing = Date.now();
    await panel.app.close();
    const closed = Date.now();
    const answering = await another({ workerEnabled: false });
    await answering.listen(0, '127.0.0.1');
    const { port } = answering.getHttpServer().address() as AddressInfo;
    const admin = supertest.agent(`http://127.0.0.1:${port}`);
    await admin.post('/api/v1/auth/login').send({ username: 'admin', password: PASSWORD }).expect(200);

    const nothing = { ready: null, readyAt: null, map: null, players: null, maxPlayers: null };
    const get = async (url: string) => (await admin.get(`/api/v1/${url}`).expect(200)).body;
    const { items } = await get('hosts');
    expect(items).toMatchObject([{ name: 'local', online: false }]);
    // It stopped in an orderly way: offline at once, and last seen when it stopped.
    expect(Date.parse(items[0].workerSeenAt)).toBeGreaterThanOrEqual(closing);
    expect(Date.parse(items[0].workerSeenAt)).toBeLessThanOrEqual(closed);
    const unknown = await get('servers/alpha');
    expect(unknown).toMatchObject({ actualState: 'unknown', desiredState: 'running', ...nothing });
    // When the worker saw it last, which may have been after the question above.
    expect(Date.parse(unknown.actualStateAt)).toBeGreaterThanOrEqual(Date.parse(running.actualStateAt));
    expect(Date.parse(unknown.actualStateAt)).toBeLessThanOrEqual(closed);
    expect(await get('servers/never-started')).toMatchObject({ actualState: 'absent' });
    const { body: stop } = await admin.post('/api/v1/servers/alpha/jobs').send({ operation: 'stop' }).expect(202);
    expect(await get(`jobs/${stop.id}`)).toMatchObject({
      state: 'queued',
      waitsFor: [{ kind: 'host', text: 'waits for host local, whose worker is not there' }],
    });

    await another({}, panel.host);
    await eventually('the job runs', async () => (await get(`jobs/${stop.id}`)).state === 'succeeded');
    expect(await get('servers/alpha')).toMatchObject({ actualState: 'stopped' });
    expect(await get('hosts')).toMatchObject({ items: [{ online: true }] });
  });
});
