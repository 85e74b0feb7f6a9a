import { CommandFailed } from '@left4me/host';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { twinId, Twins } from '../src/jobs/queue/twins.js';
import { eventually } from './eventually.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

let panel: QueuePanel;
beforeAll(async () => {
  panel = await startQueue();
  await panel.ended((await panel.install()).id);
});
afterAll(() => panel.close());

const server = async (name: string) => (await panel.admin.get(`/api/v1/servers/${name}`).expect(200)).body;
const twinOf = async (id: number) => {
  const twin = await panel.app
    .get(Twins)
    .queue(panel.hostId, 'server')
    .getJob(twinId({ id, twin: 0 }));
  if (!twin) throw new Error(`job ${id} has no twin`);
  return twin;
};

describe('how a job ends', () => {
  it('stores the lines of stdout and stderr in order, gapless from 1', async () => {
    await panel.server('wordy');
    panel.host.on('stop', 'wordy', async ({ output }) => {
      for (let i = 0; i < 3000; i++) await output.write(i % 2 ? 'stderr' : 'stdout', `line ${i}`);
      await output.write(
        'stdout',
        `a NUL: \0, half a character: \ud83d, an escape: \u001b[31m, long: ${'x'.repeat(5000)}`,
      );
    });
    const { id } = await panel.ended((await panel.queue('wordy', 'stop')).id);
    const { body } = await panel.admin.get(`/api/v1/jobs/${id}/logs?limit=5000`).expect(200);
    const lines: { seq: number; stream: string; line: string }[] = body.items;
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, index) => index + 1));
    expect(lines.slice(1, 3001).map(({ line }) => line)).toEqual(Array.from({ length: 3000 }, (_, i) => `line ${i}`));
    expect(lines.slice(1, 3).map(({ stream }) => stream)).toEqual(['stdout', 'stderr']);
    const odd = lines.at(-1)?.line ?? '';
    expect(odd).toContain('a NUL: \ufffd, half a character: \ufffd, an escape: \u001b[31m');
    expect(odd).toMatch(/… \[cut: \d+ characters]$/);
  });

  it('takes over the code of a failed command, and clears the error at the next success', async () => {
    await panel.server('breaks');
    panel.host.on('stop', 'breaks', () =>
      Promise.reject(new CommandFailed(3, ['srcds_run'], 'srcds_run ended with code 3')),
    );
    const failed = await panel.ended((await panel.queue('breaks', 'stop')).id);
    expect(failed).toMatchObject({ state: 'failed', exitCode: 3, error: 'srcds_run ended with code 3' });
    expect((await server('breaks')).lastError).toBe('stop failed: srcds_run ended with code 3');
    panel.host.on('stop', 'breaks', async () => {});
    expect((await panel.ended((await panel.queue('breaks', 'stop')).id)).exitCode).toBe(0);
    expect((await server('breaks')).lastError).toBeNull();
  });

  it('is 1 for an unexpected error, with its text and cause on stderr', async () => {
    await panel.server('surprised');
    const cause = new Error('the disk is made of cheese');
    panel.host.on('stop', 'surprised', () => Promise.reject(new Error('could not write', { cause })));
    const { id, ...failed } = await panel.ended((await panel.queue('surprised', 'stop')).id);
    expect(failed).toMatchObject({ state: 'failed', exitCode: 1, error: 'could not write' });
    const errors = (await panel.log(id)).filter(({ stream }) => stream === 'stderr').map(({ line }) => line);
    expect(errors).toEqual(['cause: the disk is made of cheese', 'could not write']);
  });

  it('keeps a server running whose restart cannot be prepared', async () => {
    await panel.server('sturdy');
    expect((await panel.ended((await panel.queue('sturdy', 'start')).id)).state).toBe('succeeded');
    panel.host.on('initialize', 'sturdy', () => Promise.reject(new Error('no')));
    const before = panel.host.begun.length;
    expect((await panel.ended((await panel.queue('sturdy', 'restart')).id)).state).toBe('failed');
    expect(panel.host.begun.slice(before)).toEqual(['initialize sturdy']);
    expect(await server('sturdy')).toMatchObject({ actualState: 'running', desiredState: 'running' });
  });

  it('leaves a running server alone when it is started again', async () => {
    await panel.server('going');
    await panel.ended((await panel.queue('going', 'start')).id);
    const before = panel.host.begun.length;
    expect((await panel.ended((await panel.queue('going', 'start')).id)).state).toBe('succeeded');
    expect(panel.host.begun.slice(before)).toEqual([]);
  });

  it('sets what is wanted when the job begins, not when it is queued', async () => {
    await panel.server('wanted');
    const release = panel.host.hold('stop', 'wanted');
    const stop = await panel.queue('wanted', 'stop');
    await panel.reaches(stop.id, 'running');
    const start = await panel.queue('wanted', 'start');
    expect((await server('wanted')).desiredState).toBe('stopped');
    release();
    await panel.ended(start.id);
    expect((await server('wanted')).desiredState).toBe('running');
    await panel.ended((await panel.queue('wanted', 'delete')).id);
    expect(await server('wanted')).toMatchObject({ desiredState: 'absent', actualState: 'absent' });
  });
});

describe('cancelling', () => {
  it('ends a queued job at once, and those behind it go on', async () => {
    await panel.server('patient');
    const release = panel.host.hold('stop', 'patient');
    const running = await panel.queue('patient', 'stop');
    await panel.reaches(running.id, 'running');
    const queued = await panel.queue('patient', 'initialize');
    const behind = await panel.queue('patient', 'stop');
    const { body } = await panel.admin.post(`/api/v1/jobs/${queued.id}/cancel`).expect(202);
    expect(body).toMatchObject({ state: 'cancelled', exitCode: null, startedAt: null, cancelledByName: 'admin' });
    expect((await panel.log(queued.id)).map(({ line }) => line)).toEqual([
      'Cancelled by admin while it waited; nothing was done.',
    ]);
    release();
    expect((await panel.ended(behind.id)).state).toBe('succeeded');
    expect(panel.host.begun.filter((call) => call === 'initialize patient')).toEqual([]);
  });

  it('stops a running job, which then is cancelled; an ended one is refused', async () => {
    await panel.server('slow');
    panel.host.hold('stop', 'slow');
    const { id } = await panel.queue('slow', 'stop');
    await panel.reaches(id, 'running');
    await panel.admin.post(`/api/v1/jobs/${id}/cancel`).expect(202);
    expect(await panel.ended(id)).toMatchObject({ state: 'cancelled', exitCode: null, error: null });
    const { body } = await panel.admin.post(`/api/v1/jobs/${id}/cancel`).expect(409);
    expect(body.detail).toBe(`Job ${id} has ended already (cancelled); nothing is left to cancel.`);
  });
});

describe('a cancelled job says', () => {
  it('who cancelled it and when, and what its server does now', async () => {
    const zoey = await panel.user('zoey', 'admin');
    const me = (await zoey.get('/api/v1/auth/me').expect(200)).body;
    await panel.server('halfway');
    await panel.ended((await panel.queue('halfway', 'start')).id);
    panel.host.hold('start', 'halfway');
    const restart = await panel.queue('halfway', 'restart');
    await eventually(
      'it is stopped for its restart',
      () => panel.host.begun.filter((call) => call === 'start halfway').length === 2,
    );
    expect(await panel.job(restart.id)).toMatchObject({ cancelledBy: null, cancelledByName: null, cancelledAt: null });
    await zoey.post(`/api/v1/jobs/${restart.id}/cancel`).expect(202);
    const ended = await panel.ended(restart.id);
    expect(ended).toMatchObject({ state: 'cancelled', cancelledBy: me.id, cancelledByName: 'zoey' });
    expect(Math.abs(Date.parse(ended.cancelledAt ?? '') - Date.now())).toBeLessThan(20_000);
    expect((await panel.log(restart.id)).at(-1)).toMatchObject({
      stream: 'system',
      line: 'Cancelled by zoey. The server is stopped.',
    });
    expect(await server('halfway')).toMatchObject({ actualState: 'stopped', lastError: null });
  });

  it("when it is not a server's, nothing of servers", async () => {
    const release = panel.host.hold('install', 'local');
    const { id } = await panel.install();
    await panel.reaches(id, 'running');
    await panel.admin.post(`/api/v1/jobs/${id}/cancel`).expect(202);
    await panel.ended(id);
    release();
    expect((await panel.log(id)).at(-1)?.line).toBe('Cancelled by admin.');
  });
});

describe('Bull board', () => {
  it('cannot run a failed job again outside the line', async () => {
    await panel.server('retried');
    panel.host.on('stop', 'retried', () => Promise.reject(new Error('no')));
    const { id } = await panel.ended((await panel.queue('retried', 'stop')).id);
    await eventually('its twin has failed too', async () => (await (await twinOf(id)).getState()) === 'failed');
    const before = panel.host.begun.length;
    await (await twinOf(id)).retry();
    await eventually('the twin was delivered again', async () => (await twinOf(id)).attemptsStarted === 2);
    await eventually('it fails like its job', async () => (await (await twinOf(id)).getState()) === 'failed');
    expect((await twinOf(id)).failedReason).toBe(`no (job ${id} had ended already: nothing was run again)`);
    expect(panel.host.begun.slice(before)).toEqual([]);
    expect((await panel.job(id)).state).toBe('failed');
  });

  it('shows a job as failed that somebody else has ended before it succeeded', async () => {
    await panel.server('outrun');
    const release = panel.host.hold('stop', 'outrun');
    const { id } = await panel.queue('outrun', 'stop');
    await panel.reaches(id, 'running');
    await panel.database.query(
      `WITH released AS (DELETE FROM job_claims WHERE job_id = $1)
       UPDATE jobs SET state = 'failed', error = 'interrupted', finished_at = clock_timestamp() WHERE id = $1`,
      [id],
    );
    release();
    await eventually('its twin is over', async () => (await twinOf(id)).finishedOn !== undefined);
    expect(await (await twinOf(id)).getState()).toBe('failed');
  });

  it('calls the lanes by the name of their host', async () => {
    const { body } = await panel.admin.get('/queues/api/queues').expect(200);
    const shown = body.queues.map(({ name, displayName }: Record<string, string>) => [name, displayName]);
    expect(shown).toEqual(
      expect.arrayContaining(['server', 'build', 'install'].map((l) => [`host-${panel.hostId}-${l}`, `local · ${l}`])),
    );
  });

  it('cannot promote a waiting job past the one it waits for', async () => {
    await panel.server('promoted');
    const release = panel.host.hold('stop', 'promoted');
    const running = await panel.queue('promoted', 'stop');
    await panel.reaches(running.id, 'running');
    const waiting = await panel.queue('promoted', 'initialize');
    const stateOfTwin = () =>
      twinOf(waiting.id).then(
        (twin) => twin.getState(),
        () => 'missing',
      );
    await eventually('its twin is parked', async () => (await stateOfTwin()) === 'delayed');
    await (await twinOf(waiting.id)).promote();
    await eventually('the twin was delivered', async () => (await twinOf(waiting.id)).attemptsStarted === 1);
    await eventually('it waits again', async () => (await stateOfTwin()) === 'delayed');
    expect((await panel.job(waiting.id)).state).toBe('queued');
    release();
    expect((await panel.ended(waiting.id)).state).toBe('succeeded');
  });
});

it('ends a job whose failure text cannot be stored as it is, and those that end with it', async () => {
  const [bad, good] = [await panel.server('unprintable'), await panel.server('printable')];
  panel.host.on('stop', 'unprintable', () => Promise.reject(new Error('bad \0 text')));
  const jobs = [await panel.queue(bad, 'stop'), await panel.queue(good, 'stop')];
  expect(await panel.ended(jobs[0]?.id ?? 0)).toMatchObject({ state: 'failed', exitCode: 1, error: 'bad \uFFFD text' });
  expect((await panel.ended(jobs[1]?.id ?? 0)).state).toBe('succeeded');
});

it('refuses a build that cannot be one', async () => {
  for (const build of ['x\0', '../1', 'a'.repeat(65)]) {
    const { body } = await panel.admin
      .post(`/api/v1/hosts/${panel.hostId}/jobs`)
      .send({ operation: 'install', build })
      .expect(400);
    expect(body.errors).toEqual([
      { path: 'build', message: 'must be the name of an installed build: letters, digits, dots and dashes' },
    ]);
  }
});
