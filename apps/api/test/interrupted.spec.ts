import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { twinId, Twins } from '../src/jobs/queue/twins.js';
import type { JobView } from '../src/jobs/job.dto.js';
import { startApp, type TestApp } from './app.js';
import { eventually } from './eventually.js';
import { descendants, survivors } from './process-tree.js';

const PROGRAM = fileURLToPath(new URL('fixtures/worker-with-children.mjs', import.meta.url));

let panel: TestApp;
let worker: ChildProcess | null = null;
beforeAll(async () => {
  panel = await startApp();
});
afterAll(async () => {
  worker?.kill('SIGKILL');
  await panel.close();
});

/** Starts the worker's process and waits until it serves. */
async function startWorker(isolation: string): Promise<number> {
  const settings = JSON.stringify(Object.assign({}, panel.settings, { workerEnabled: true, port: 0 }));
  const child = spawn(process.execPath, [PROGRAM, settings, isolation], { stdio: ['ignore', 'pipe', 'inherit'] });
  worker = child;
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

const job = async (id: number): Promise<JobView> => (await panel.admin.get(`/api/v1/jobs/${id}`).expect(200)).body;

it.each(['namespaces', 'groups'])(
  'fails a job whose worker was killed, and what it had started is gone first (%s)',
  { timeout: 120_000 },
  async (isolation) => {
    const { body: blueprint } = await panel.admin.post('/api/v1/blueprints').send({ name: isolation }).expect(201);
    await panel.admin.post('/api/v1/servers').send({ name: isolation, blueprintId: blueprint.id }).expect(201);
    const pid = await startWorker(isolation);
    const { body: queued } = await panel.admin
      .post(`/api/v1/servers/${isolation}/jobs`)
      .send({ operation: 'stop' })
      .expect(202);
    await eventually('both commands of the job run', async () => {
      const commands = (await descendants(pid)).filter(({ command }) => command.includes('sleep'));
      return commands.length >= 2 && (await job(queued.id)).state === 'running';
    });
    const started = await descendants(pid);

    worker?.kill('SIGKILL');
    // Nobody may end the job but the host's next worker, and only once nothing of it lives.
    expect((await job(queued.id)).state).toBe('running');
    await startWorker(isolation);
    await eventually('the job has ended', async () => (await job(queued.id)).finishedAt !== null);
    expect(await survivors(started)).toEqual([]);
    const ended = await job(queued.id);
    expect(ended).toMatchObject({ state: 'failed', exitCode: null });
    expect(ended.error).toContain('interrupted');
    expect(await panel.database.query('SELECT 1 FROM job_claims')).toEqual([]);
    // Delivered again to the new worker, which runs nothing: Bull board counts the job among the failed ones too.
    const twins = panel.app.get(Twins).queue(ended.hostId, 'server');
    await eventually(
      'its twin has failed',
      async () => (await twins.getJobState(twinId({ id: ended.id, twin: 0 }))) === 'failed',
      60,
    );
    worker?.kill('SIGKILL');
  },
);
