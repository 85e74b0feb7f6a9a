import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from './eventually.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

let panel: QueuePanel;
beforeAll(async () => {
  panel = await startQueue();
});
afterAll(() => panel.close());

const overlap = (subject: string): boolean => {
  const calls = panel.host.calls.filter((call) => call.subject === subject).toSorted((a, b) => a.from - b.from);
  return calls.some((call, index) => index > 0 && call.from < (calls[index - 1]?.to ?? Infinity));
};

describe('the line', () => {
  it('runs a job through queued and running to succeeded, with its times and exit code', async () => {
    await panel.server('plain');
    const release = panel.host.hold('stop', 'plain');
    const queued = await panel.queue('plain', 'stop');
    // It may have begun before the answer was read.
    expect(['queued', 'running']).toContain(queued.state);
    expect(queued).toMatchObject({ finishedAt: null, exitCode: null });
    const running = await panel.reaches(queued.id, 'running');
    expect(running.startedAt).not.toBeNull();
    release();
    const done = await panel.ended(queued.id);
    expect(done).toMatchObject({ state: 'succeeded', exitCode: 0, error: null, waitsFor: [] });
    const times = [done.createdAt, done.startedAt, done.finishedAt].map((at) => Date.parse(at ?? ''));
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it('never runs two jobs of one server at once, and keeps their order', async () => {
    await panel.server('busy');
    const begunBefore = panel.host.begun.length;
    const operations = ['initialize', 'stop', 'initialize', 'delete', 'initialize', 'stop'] as const;
    const jobs = [];
    for (const operation of operations) jobs.push(await panel.queue('busy', operation));
    for (const { id } of jobs) expect((await panel.ended(id)).state).toBe('succeeded');
    const begun = panel.host.begun.slice(begunBefore).filter((call) => call.endsWith(' busy'));
    expect(begun).toEqual(operations.map((operation) => `${operation} busy`));
    expect(overlap('busy')).toBe(false);
  });

  it('runs jobs of different servers at the same time', async () => {
    const names = ['left', 'right'];
    for (const name of names) await panel.server(name);
    const releases = names.map((name) => panel.host.hold('stop', name));
    const jobs = [];
    for (const name of names) jobs.push(await panel.queue(name, 'stop'));
    // Both at once: neither ends before it is let go.
    for (const { id } of jobs) expect((await panel.reaches(id, 'running')).finishedAt).toBeNull();
    for (const release of releases) release();
    for (const { id } of jobs) expect((await panel.ended(id)).state).toBe('succeeded');
  });

  it('makes install wait for running server jobs, and later server jobs for install', async () => {
    for (const name of ['before', 'after']) await panel.server(name);
    const releaseStop = panel.host.hold('stop', 'before');
    const releaseInstall = panel.host.hold('install', 'local');
    const stop = await panel.queue('before', 'stop');
    await panel.reaches(stop.id, 'running');
    const install = await panel.install();
    const later = await panel.queue('after', 'stop');

    await sleep(300);
    expect((await panel.job(install.id)).waitsFor).toEqual([
      { kind: 'job', jobId: stop.id, operation: 'stop', text: `waits for job ${stop.id}, stop of before` },
    ]);
    expect((await panel.job(later.id)).waitsFor).toEqual([
      { kind: 'job', jobId: install.id, operation: 'install', text: `waits for job ${install.id}, install on local` },
    ]);
    releaseStop();
    await panel.reaches(install.id, 'running');
    await sleep(200);
    expect((await panel.job(later.id)).state).toBe('queued');
    releaseInstall();
    expect((await panel.ended(later.id)).state).toBe('succeeded');
  });

  it('waits for a build only while the overlay has no revision at all', async () => {
    const { body: overlay } = await panel.admin.post('/api/v1/overlays').send({ name: 'addons' }).expect(201);
    const body = { name: 'with addons', overlays: [{ overlayId: overlay.id }] };
    const { body: blueprint } = await panel.admin.post('/api/v1/blueprints').send(body).expect(201);
    await panel.server('modded', blueprint.id);
    await panel.ended((await panel.install()).id);
    const build = async () => (await panel.admin.post(`/api/v1/overlays/${overlay.id}/builds`).expect(202)).body;

    const release = panel.host.hold('publish', String(overlay.id));
    const firstBuild = await build();
    const start = await panel.queue('modded', 'initialize');
    const stop = await panel.queue('modded', 'stop');
    await panel.reaches(firstBuild.id, 'running');
    await sleep(200);
    expect((await panel.job(start.id)).state).toBe('queued');
    release();
    expect((await panel.ended(stop.id)).state).toBe('succeeded');

    const releaseSecond = panel.host.hold('publish', String(overlay.id));
    const secondBuild = await build();
    await panel.reaches(secondBuild.id, 'running');
    expect((await panel.ended((await panel.queue('modded', 'initialize')).id)).state).toBe('succeeded');
    releaseSecond();
    await panel.ended(secondBuild.id);
  });

  it('keeps every job when nothing is left of Redis', async () => {
    for (const name of ['kept-1', 'kept-2']) await panel.server(name);
    const release = panel.host.hold('stop', 'kept-1');
    const jobs = [await panel.queue('kept-1', 'stop'), await panel.queue('kept-1', 'initialize')];
    await panel.reaches(jobs[0]?.id ?? 0, 'running');
    await panel.forgetRedis();
    jobs.push(await panel.queue('kept-2', 'stop'));
    release();
    for (const { id } of jobs) expect((await panel.ended(id)).state).toBe('succeeded');
    const ran = panel.host.begun.filter((call) => /kept/.test(call));
    expect(ran.toSorted()).toEqual(['initialize kept-1', 'stop kept-1', 'stop kept-2']);
    await eventually('no claim is left', async () => {
      const rows = await panel.database.query<unknown[]>('SELECT 1 FROM job_claims');
      return rows.length === 0;
    });
  });
});

describe('a single place', () => {
  it('is given to the oldest job that may run', async () => {
    const narrow = await startQueue({ workerConcurrency: 1 });
    try {
      for (const name of ['one', 'two', 'three']) await narrow.server(name);
      const release = narrow.host.hold('stop', 'one');
      const first = await narrow.queue('one', 'stop');
      await narrow.reaches(first.id, 'running');
      // Of these the first has to wait for its server, but is the oldest that may run once that is free.
      const queued = [
        await narrow.queue('one', 'initialize'),
        await narrow.queue('two', 'stop'),
        await narrow.queue('three', 'stop'),
      ];
      await sleep(200);
      expect((await narrow.job(queued[1]?.id ?? 0)).waitsFor).toEqual([
        { kind: 'slot', text: 'waits for the only place of the server lane, which is taken' },
      ]);
      release();
      for (const { id } of queued) await narrow.ended(id);
      expect(narrow.host.begun).toEqual(['stop one', 'initialize one', 'stop two', 'stop three']);
    } finally {
      await narrow.close();
    }
  });
});
