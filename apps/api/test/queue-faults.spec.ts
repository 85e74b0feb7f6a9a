import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { JobLines } from '../src/jobs/log/job-lines.js';
import { JobRows } from '../src/jobs/worker/job-rows.js';
import { JobRunner } from '../src/jobs/worker/job-runner.js';
import { OperationHandlers } from '../src/jobs/worker/operation-handler.js';
import { operations } from '../src/jobs/job.entity.js';
import { Announcements } from '../src/redis/announcements.js';
import { RedisConnections } from '../src/redis/redis.js';
import { ServerMasks } from '../src/secrets/server-masks.js';
import { Generations } from '../src/servers/generations.js';
import { eventually } from './eventually.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

let panel: QueuePanel;
beforeAll(async () => {
  panel = await startQueue();
});
afterAll(() => panel.close());

const incarnation = async (): Promise<string> => {
  const [row] = await panel.database.query<{ incarnation: string }[]>(`SELECT incarnation FROM hosts WHERE id = $1`, [
    panel.hostId,
  ]);
  if (!row) throw new Error('there is no host');
  return row.incarnation;
};

/** A job's row as some other statement left it, with its claim on the server. */
async function insertJob(serverId: number | null, state: string, worker: string | null): Promise<number> {
  const [row] = await panel.database.query<{ id: number }[]>(
    `INSERT INTO jobs (operation, state, host_id, server_id, server_name, incarnation, admitted_at)
     VALUES ('stop', $1, $2, $3, 'of the test', $4, CASE WHEN $4::uuid IS NULL THEN NULL::timestamptz ELSE now() END) RETURNING id`,
    [state, panel.hostId, serverId, worker],
  );
  if (!row) throw new Error('nothing was inserted');
  const resource = `server:${serverId ?? 999_999}`;
  await panel.database.query(`INSERT INTO job_claims (resource, job_id, exclusive) VALUES ($1, $2, true)`, [
    resource,
    row.id,
  ]);
  return row.id;
}

describe('a claim whose answer was lost', () => {
  it.each([
    ['running', 'failed'],
    ['cancelling', 'cancelled'],
  ])('leaves a job %s that is %s then, and does not hold up what is behind it', async (state, end) => {
    const server = await panel.server(`lost-${state}`);
    const lost = await insertJob(server, state, await incarnation());
    const behind = await panel.queue(server, 'stop');
    expect(await panel.ended(lost)).toMatchObject({ state: end, exitCode: null });
    expect((await panel.ended(behind.id)).state).toBe('succeeded');
  });
});

it('fails a job cleanly whose server is gone', async () => {
  const id = await insertJob(null, 'queued', null);
  const failed = await panel.ended(id);
  expect(failed).toMatchObject({ state: 'failed', exitCode: 1 });
  expect(failed.error).toBe('What the stop job was for, its server or overlay, has been deleted.');
});

it('builds an overlay again after a build that was interrupted between disk and database', async () => {
  const { body: overlay } = await panel.admin.post('/api/v1/overlays').send({ name: 'leftover' }).expect(201);
  const { body: build } = await panel.admin.post(`/api/v1/overlays/${overlay.id}/builds`).expect(202);
  expect((await panel.ended(build.id)).state).toBe('succeeded');
  expect(panel.host.removedRevisions).toContainEqual([overlay.id, 1]);
});

describe('what fails when a job has done what it was for', () => {
  afterEach(() => vi.restoreAllMocks());
  const said = async (id: number): Promise<string> => (await panel.log(id)).map(({ line }) => line).join('\n');

  it('is said in its log and does not fail it: consoles that could not be told of a revision or a build', async () => {
    const query = panel.database.query.bind(panel.database);
    vi.spyOn(panel.database, 'query').mockImplementation((statement, ...rest) =>
      statement.startsWith('SELECT id FROM servers') ? Promise.reject(new Error('away')) : query(statement, ...rest),
    );
    const { body: overlay } = await panel.admin.post('/api/v1/overlays').send({ name: 'unheard' }).expect(201);
    const { body: build } = await panel.admin.post(`/api/v1/overlays/${overlay.id}/builds`).expect(202);
    for (const id of [build.id, (await panel.install()).id]) {
      expect(await panel.ended(id)).toMatchObject({ state: 'succeeded', error: null });
      expect(await said(id)).toContain(
        'Open consoles were not told that the next start of servers changes something: away',
      );
    }
  });

  it('is said in its log and does not fail it: pins that could not be taken off', async () => {
    const keepOnly = vi.spyOn(panel.app.get(Generations), 'keepOnly').mockRejectedValue(new Error('away'));
    const server = await panel.server('pinned');
    for (const operation of ['start', 'delete'] as const) {
      const { id } = await panel.queue(server, operation);
      expect(await panel.ended(id)).toMatchObject({ state: 'succeeded', error: null });
      expect(await said(id)).toContain('What earlier generations used stays pinned for now: Error: away');
    }
    expect(keepOnly).toHaveBeenCalled();
  });

  it('is said in its log and does not fail it: a server whose state could not be looked at, for its pins', async () => {
    const server = await panel.server('unseen');
    vi.spyOn(panel.host, 'status').mockRejectedValue(new Error('away'));
    const { id } = await panel.queue(server, 'restart');
    expect(await panel.ended(id)).toMatchObject({ state: 'succeeded', error: null });
    expect(await said(id)).toContain('What earlier generations used stays pinned for now: Error: away');
  });
});

it('stops an operation that takes longer than its limit', async () => {
  const server = await panel.server('endless');
  const worker = await incarnation();
  const id = await insertJob(server, 'running', worker);
  const endless = {
    operations,
    limitSeconds: 0.1,
    run: async (_job: unknown, { signal }: { signal: AbortSignal }) => {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('told to stop'))));
    },
  };
  const context = {
    database: panel.database,
    announcements: panel.app.get(Announcements),
    handlers: new OperationHandlers([endless]),
    incarnation: worker,
    rows: panel.app.get(JobRows),
    lines: panel.app.get(JobLines),
    lookAt: () => Promise.resolve(null),
    masks: panel.app.get(ServerMasks),
  };
  const job = {
    id,
    operation: 'stop',
    hostId: panel.hostId,
    serverId: server,
    serverName: 'endless',
    overlayId: null,
    build: null,
    restoreEntryId: null,
  } as const;
  const how = await new JobRunner(context, job).run();
  expect(how).toEqual({ state: 'failed', exitCode: 1, error: 'It took longer than 0.1 s and was stopped.' });
});

it('finds what may run at once behind a long line', async () => {
  const long = await panel.server('long');
  const short = await panel.server('short');
  const release = panel.host.hold('stop', 'long');
  const first = await panel.queue(long, 'stop');
  await panel.reaches(first.id, 'running');
  await panel.database.query(
    `WITH line AS (
       INSERT INTO jobs (operation, host_id, server_id, server_name) SELECT 'stop', $1, $2, 'long' FROM generate_series(1, 3000) RETURNING id
     ) INSERT INTO job_claims (resource, job_id, exclusive)
       SELECT 'server:' || $2::int, id, true FROM line UNION ALL SELECT 'host:' || $1::int || '/runtime', id, false FROM line`,
    [panel.hostId, long],
  );
  expect((await panel.ended((await panel.queue(short, 'stop')).id)).state).toBe('succeeded');
  const { body } = await panel.admin.get('/api/v1/jobs?state=queued&limit=1').expect(200);
  expect(body.items[0].waitsFor[0]).toMatchObject({ kind: 'job', jobId: first.id });
  await panel.database.query(`DELETE FROM jobs WHERE state = 'queued' AND server_id = $1`, [long]);
  release();
  await panel.ended(first.id);
});

it('lets a job with a lower id, written but not committed yet, go first', async () => {
  const server = await panel.server('uncommitted');
  const early = panel.database.createQueryRunner();
  await early.startTransaction();
  await early.query('SELECT pg_advisory_xact_lock(4222860)');
  const inserted: { id: number }[] = await early.manager.query(
    `INSERT INTO jobs (operation, host_id) VALUES ('install', $1) RETURNING id`,
    [panel.hostId],
  );
  const id = inserted[0]?.id ?? 0;
  await early.query(`INSERT INTO job_claims (resource, job_id, exclusive) VALUES ($1, $2, true)`, [
    `host:${panel.hostId}/runtime`,
    id,
  ]);
  const later = panel.jobs.enqueue({ operation: 'stop', serverId: server, userId: null });
  await sleep(300);
  expect(panel.host.begun).not.toContain('stop uncommitted');
  await early.commitTransaction();
  await early.release();
  const { id: laterId } = await later;
  expect(id).toBeLessThan(laterId);
  await panel.ended(laterId);
  await eventually('both have run', () => panel.host.begun.includes('stop uncommitted'));
  expect(panel.host.begun.slice(-2)).toEqual(['install local', 'stop uncommitted']);
});

it('shows all of the line in Bull board and nothing else, whoever died before parking or removing a twin', async () => {
  const server = await panel.server('seen');
  const release = panel.host.hold('stop', 'seen');
  const running = await panel.queue(server, 'stop');
  await panel.reaches(running.id, 'running');
  const unparked = await insertJob(server, 'queued', null);
  const { queues: connection, prefix } = panel.app.get(RedisConnections);
  const line = new Queue(`host-${panel.hostId}-server`, { connection, prefix });
  await line.add('stop', { jobId: 999_999 }, { jobId: 'job-999999.0', delay: 1_000_000 });
  const ofTheLine = async (): Promise<boolean> => {
    const ids = (await line.getDelayed()).map(({ id }) => id);
    return ids.length === 1 && ids[0] === `job-${unparked}.0`;
  };
  // The line is looked at every ten seconds.
  await eventually('the twins are those of the line', ofTheLine, 40);
  release();
  expect((await panel.ended(unparked)).state).toBe('succeeded');
}, 60_000);
