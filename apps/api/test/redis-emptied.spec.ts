import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { servicePlaces } from '../src/embedded/service-places.js';
import type { JobView } from '../src/jobs/job.dto.js';
import type { ServerView } from '../src/servers/server.dto.js';
import { eventually } from './eventually.js';
import { HOLDABLE, holdInstalls } from './held-install.js';
import { Instance, TICKING, ticksOf } from './instance.js';
import { LogFollower } from './log-follower.js';
import { RealPanel } from './real-panel.js';

let panel: RealPanel;
let servers: ServerView[];

beforeAll(async () => {
  panel = await RealPanel.make(HOLDABLE);
  const blueprint = await panel.blueprint('ticking', [await panel.overlay('ticking', { srcds_run: TICKING })]);
  servers = [await panel.server('one', blueprint), await panel.server('two', blueprint)];
  await Promise.all(servers.map(({ name }) => panel.startServer(name)));
});
afterAll(() => panel.close());

/** Takes everything from the panel's own Redis. */
async function flush(): Promise<void> {
  const redis = new Redis({ path: join((await servicePlaces(panel.root)).of('redis').socketFolder, 'redis.sock') });
  await redis.flushall();
  redis.disconnect();
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
describe('Redis emptied while servers run and jobs wait', () => {
  it('loses no job, runs none twice, and shows the servers and their logs as before', { timeout: 90_000 }, async () => {
    const url = `${panel.url}/api/v1/servers/one/logs?follow=true&lines=20000`;
    const follower = await LogFollower.open(url, panel.cookie, { Accept: 'application/x-ndjson' });
    await eventually('ten ticks are followed', () => ticksOf(follower.serverLines).length > 10);

    // An install runs; behind it waits a line for each server.
    const goOn = await holdInstalls(panel.root);
    const install = await panel.install('other');
    const waiting: JobView[] = [];
    for (const operation of ['initialize', 'restart', 'initialize', 'stop', 'start'] as const) {
      for (const { name } of servers) waiting.push(await panel.queue(name, operation));
    }
    await eventually('the install runs', async () => (await panel.jobLog(install.id)).length > 2);
    const followedBefore = follower.serverLines.length;
    for (let i = 0; i < 3; i++) await flush();
    expect(await panel.job(install.id)).toMatchObject({ state: 'running' });
    await goOn();
    await flush();

    expect(await panel.ended(install.id)).toMatchObject({ state: 'succeeded', exitCode: 0 });
    // Once more while the line moves.
    await eventually('the line moves', async () => (await panel.job(waiting[2]?.id ?? 0)).state !== 'queued');
    await flush();
    const ended = [];
    for (const { id } of waiting) ended.push(await panel.ended(id));
    expect(ended.map(({ state, exitCode }) => ({ state, exitCode }))).toEqual(
      waiting.map(() => ({ state: 'succeeded', exitCode: 0 })),
    );

    // In order, one after the other, and each once: what it did is in its log once.
    for (const { name } of servers) {
      const line = ended.filter(({ serverName }) => serverName === name);
      for (const [i, job] of line.entries()) {
        const previous = i === 0 ? install : line[i - 1];
        const finished = (await panel.job(previous?.id ?? 0)).finishedAt;
        expect(new Date(job.startedAt ?? 0).getTime()).toBeGreaterThanOrEqual(new Date(finished ?? Infinity).getTime());
        const log = await panel.jobLog(job.id);
        expect(log.map(({ seq }) => seq)).toEqual(range(1, log.length));
        const prepared = log.filter((item) => item.line.startsWith('prepared generation'));
        expect(prepared).toHaveLength(job.operation === 'stop' ? 0 : 1);
      }
      const generations = (await Promise.all(line.map(({ id }) => panel.jobLog(id)))).flat();
      // The first start made generation 1; four of the five jobs prepare one more.
      expect(
        generations
          .filter((item) => item.line.startsWith('prepared generation'))
          .map((item) => item.line.split(' ')[2]),
      ).toEqual(['2:', '3:', '4:', '5:']);
    }

    for (const server of servers) {
      await panel.reaches(server.name, {
        actualState: 'running',
        ready: true,
        desiredState: 'running',
        lastError: null,
      });
      const instance = new Instance(panel.root, server.name, server.port);
      await eventually(`the log of ${server.name} is whole again`, async () => {
        const disk = await instance.lines();
        const { body } = await panel.admin.get(`/api/v1/servers/${server.name}/logs?lines=20000`).expect(200);
        const shown: { position: string; line: string }[] = body.items;
        return shown.length >= disk.length && shown[0]?.position === disk[0]?.position;
      });
    }

    // Whoever was reading missed nothing and saw nothing twice: from before the flush over three runs of the server to now.
    const disk = await new Instance(panel.root, 'one', servers[0]?.port ?? 0).lines();
    await eventually('the follower has what is on the disk', () => follower.serverLines.length >= disk.length);
    follower.leave();
    expect(followedBefore).toBeLessThan(disk.length);
    expect(follower.serverLines.slice(0, disk.length)).toEqual(disk);
  });

  it('keeps the log whole when it is emptied again and again while lines pour in', { timeout: 60_000 }, async () => {
    const [, two] = servers;
    if (!two) throw new Error('there are two servers');
    const instance = new Instance(panel.root, two.name, two.port);
    const before = (await instance.lines()).length;
    const flood = instance.rcon('demo_spam 12000');
    for (let i = 0; i < 60; i++) {
      await flush();
      await sleep(15);
    }
    await flood;
    await eventually('the flood is on the disk', async () => (await instance.lines()).length >= before + 12_000);
    const disk = await instance.lines();
    let shown: { position: string; line: string }[] = [];
    await eventually(
      () => `${shown.length} lines are shown from ${shown[0]?.position}, on the disk are ${disk.length}`,
      async () => {
        shown = (await panel.admin.get('/api/v1/servers/two/logs?lines=20000').expect(200)).body.items;
        return shown.length >= disk.length && shown[0]?.position === disk[0]?.position;
      },
    );
    expect(shown.slice(0, disk.length).map(({ position, line }) => ({ position, line }))).toEqual(disk);
  });

  it(
    'shows the log of a server again that has printed nothing since the panel started',
    { timeout: 120_000 },
    async () => {
      const { name, port } = await panel.server('quiet', await panel.blueprint('plain'));
      await panel.startServer(name);
      const instance = new Instance(panel.root, name, port);
      await eventually(
        'it has said its last',
        async () => (await instance.lines()).at(-1)?.line === 'Server is hibernating',
      );
      const shown = async () => (await panel.admin.get(`/api/v1/servers/${name}/logs`).expect(200)).body.items.length;
      const all = (await instance.lines()).length;
      // The panel looks for new servers every ten seconds, and every five whether Redis has their logs.
      await eventually('all of it is shown', async () => (await shown()) === all, 40);
      await panel.end('SIGTERM');
      await panel.start();
      expect(await shown()).toBe(all);
      await flush();
      await eventually('the log is there again', async () => (await shown()) === all, 40);
    },
  );
});
