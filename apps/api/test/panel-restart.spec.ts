import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ServerView } from '../src/servers/server.dto.js';
import { eventually } from './eventually.js';
import { HOLDABLE, holdInstalls } from './held-install.js';
import { Instance, TICKING, ticksOf } from './instance.js';
import { LogFollower } from './log-follower.js';
import { descendants, survivors } from './process-tree.js';
import { RealPanel } from './real-panel.js';
import { askInfo } from './source-client.js';

const NDJSON = { Accept: 'application/x-ndjson' };

let panel: RealPanel;
let servers: ServerView[];
let blueprint: number;
const instanceOf = ({ name, port }: ServerView) => new Instance(panel.root, name, port);

beforeAll(async () => {
  panel = await RealPanel.make(HOLDABLE);
  blueprint = await panel.blueprint('ticking', [await panel.overlay('ticking', { srcds_run: TICKING })]);
  servers = [await panel.server('one', blueprint), await panel.server('two', blueprint, { title: 'The Second' })];
  await Promise.all(servers.map(({ name }) => panel.startServer(name)));
});
afterAll(() => panel.close());

const follow = (name: string, after?: string) =>
  LogFollower.open(
    `${panel.url}/api/v1/servers/${name}/logs?follow=true${after ? `&after=${after}` : ''}`,
    panel.cookie,
    NDJSON,
  );
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

it('a healthy start complains of nothing', () => {
  expect(panel.said()).toContain('Serving host local');
  expect(panel.said()).not.toMatch(/WARN|ERROR/);
});

describe.each(['SIGTERM', 'SIGKILL'] as const)('the panel ended by %s while servers run', (signal) => {
  it(
    'leaves the servers and nothing else; the next one finds servers, logs, jobs and users',
    { timeout: 60_000 },
    async () => {
      const pids = await Promise.all(servers.map((server) => instanceOf(server).pids()));
      const jobs = (await panel.admin.get('/api/v1/jobs?limit=100').expect(200)).body;
      const first = await follow('one');
      await eventually('ten ticks are followed', () => ticksOf(first.serverLines).length > 10);
      const ofThePanel = await descendants(panel.pid);
      expect(ofThePanel.map(({ command }) => command).join('\n')).toMatch(
        /postgres .*redis-server|redis-server.*postgres /s,
      );

      const code = await panel.end(signal);
      const endedAt = new Date();
      expect(code).toBe(signal === 'SIGTERM' ? 0 : null);
      await eventually('only servers and what watches over them is left', async () => {
        const left = (await panel.folder.processes()).map(({ pid }) => pid).sort();
        return (
          JSON.stringify(left) ===
          JSON.stringify(pids.flatMap(({ supervisor, launcher }) => [supervisor, launcher]).sort())
        );
      });
      const watching = (await Promise.all(pids.map(({ supervisor }) => descendants(supervisor)))).flat();
      const ours = [...pids.map(({ supervisor }) => supervisor), ...watching.map(({ pid }) => pid)];
      // Those of PostgreSQL do not name the folder.
      await eventually('nothing of the panel is left', async () =>
        (await survivors(ofThePanel)).every(({ pid }) => ours.includes(pid)),
      );

      expect(await Promise.all(servers.map(({ port }) => askInfo(port)))).toMatchObject([
        { name: 'one', map: 'c1m1_hotel', maxPlayers: 8 },
        { name: 'The Second', map: 'c1m1_hotel', maxPlayers: 8 },
      ]);
      const one = instanceOf(servers[0] ?? panelHasServers());
      const ticked = async () => ticksOf(await one.lines()).at(-1) ?? 0;
      const atTheEnd = await ticked();
      await eventually('the server goes on printing', async () => (await ticked()) > atTheEnd + 10);
      await panel.start();

      for (const { name } of servers) {
        const seen = await panel.reaches(name, {
          actualState: 'running',
          ready: true,
          lastError: null,
          desiredState: 'running',
        });
        await eventually(`the state of ${name} is read again`, async () => {
          const { actualStateAt, ready } = await panel.get(name);
          return ready === true && actualStateAt !== null && new Date(actualStateAt) > endedAt;
        });
        expect(seen).toMatchObject({ map: 'c1m1_hotel', players: 0, maxPlayers: 8, job: null, pendingChanges: [] });
      }
      expect(await Promise.all(servers.map((server) => instanceOf(server).pids()))).toEqual(pids);
      expect((await panel.admin.get('/api/v1/jobs?limit=100').expect(200)).body).toEqual(jobs);
      expect((await panel.admin.get('/api/v1/auth/me').expect(200)).body).toMatchObject({
        name: 'admin',
        role: 'admin',
      });

      const before = first.serverLines;
      const last = before.at(-1)?.position;
      const second = await follow('one', last);
      await eventually('ticks from after the restart are followed', () => ticksOf(second.serverLines).length > 40);
      second.leave();
      const followed = [...before, ...second.serverLines];
      const ticks = ticksOf(followed);
      expect(ticks).toEqual(range(ticks[0] ?? 0, ticks.at(-1) ?? 0));

      // Everything that REST has is exactly what is on the disk.
      const disk = await one.lines();
      const { items } = (await panel.admin.get('/api/v1/servers/one/logs?lines=20000').expect(200)).body;
      const shown = items.map(({ position, line }: { position: string; line: string }) => ({ position, line }));
      expect(shown.length).toBeGreaterThan(ticks.length);
      expect(shown.slice(0, disk.length)).toEqual(disk.slice(0, shown.length));
      const from = disk.findIndex(({ position }) => position === followed[0]?.position);
      expect(followed.filter((_, i) => i < disk.length - from)).toEqual(disk.slice(from, from + followed.length));
    },
  );
});

function panelHasServers(): never {
  throw new Error('there are servers');
}

it('a healthy start complains of nothing', () => {
  expect(panel.said()).toContain('Serving host local');
  expect(panel.said()).not.toMatch(/WARN|ERROR/);
});

describe.each(['SIGTERM', 'SIGKILL'] as const)('a job that runs when the panel is ended by %s', (signal) => {
  it('has failed afterwards, with a whole log; what waited behind it runs by itself', { timeout: 60_000 }, async () => {
    const name = `behind-${signal.toLowerCase()}`;
    const build = `other-${signal.toLowerCase()}`;
    await panel.server(name, blueprint);
    const goOn = await holdInstalls(panel.root);
    const install = await panel.install(build);
    const behind = await panel.queue(name, 'start');
    await eventually('the install is in the middle', async () => (await panel.jobLog(install.id)).length >= 4);
    expect(await panel.job(behind.id)).toMatchObject({
      state: 'queued',
      waitsFor: [{ kind: 'job', jobId: install.id }],
    });
    const logged = await panel.jobLog(install.id);
    const ofThePanel = await descendants(panel.pid);

    const stopped = panel.end(signal);
    await goOn();
    await stopped;
    await panel.start();

    const ended = await panel.job(install.id);
    expect(ended).toMatchObject({ state: 'failed', exitCode: null, progress: null });
    expect(ended.error).toMatch(/^interrupted/);
    const log = await panel.jobLog(install.id);
    expect(log.map(({ seq }) => seq)).toEqual(range(1, log.length));
    expect(log.slice(0, logged.length)).toEqual(logged);
    expect(log.at(-1)?.stream).toBe('system');
    const supervised = (await panel.folder.processes()).filter(({ command }) =>
      /supervisor|launch-server/.test(command),
    );
    const trees = (await Promise.all(supervised.map(({ pid }) => descendants(pid)))).flat();
    const ours = [...supervised, ...trees].map(({ pid }) => pid);
    expect((await survivors(ofThePanel)).filter(({ pid }) => !ours.includes(pid))).toEqual([]);

    expect(await panel.ended(behind.id)).toMatchObject({ state: 'succeeded', exitCode: 0 });
    await panel.reaches(name, { actualState: 'running', ready: true });
    expect(await panel.admin.get('/api/v1/hosts/1').then(({ body }) => body)).toMatchObject({
      currentBuild: 'demo-1',
      builds: [{ build: 'demo-1', current: true }],
      job: null,
    });
  });
});

it('removes what an interrupted install left unfinished when the next one runs', async () => {
  const left = async () => (await readdir(join(panel.root, 'installation'))).filter((name) => name.startsWith('.tmp'));
  expect(await left()).toHaveLength(1); // of the killed one; the stopped one cleaned up after itself
  expect(await panel.ended((await panel.install('other-sigkill')).id)).toMatchObject({
    state: 'succeeded',
    exitCode: 0,
  });
  expect((await readdir(join(panel.root, 'installation'))).sort()).toEqual([
    'current',
    'demo-1',
    'demo-1.json',
    'other-sigkill',
    'other-sigkill.json',
  ]);
});
