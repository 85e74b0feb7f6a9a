import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { twinId, Twins } from '../src/jobs/queue/twins.js';
import type { JobView } from '../src/jobs/job.dto.js';
import { systemProgram } from '../src/embedded/system-program.js';
import { startApp, type TestApp } from './app.js';
import { cacheFolder } from './cache-folder.js';
import { eventually } from './eventually.js';
import { descendants, survivors } from './process-tree.js';

const WITH_CHILDREN = 'worker-with-children.mjs';
const WITH_SCRIPTS = 'worker-with-scripts.mjs';

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
async function startWorker(program: string, argument: string): Promise<number> {
  const settings = JSON.stringify(Object.assign({}, panel.settings, { workerEnabled: true, port: 0 }));
  const file = fileURLToPath(new URL(`fixtures/${program}`, import.meta.url));
  const child = spawn(process.execPath, [file, settings, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
  worker = child;
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

const job = async (id: number): Promise<JobView> => (await panel.admin.get(`/api/v1/jobs/${id}`).expect(200)).body;

it.each(['namespaces', 'groups'])(
  'fails a job whose worker was killed, and what it had started is gone first (%s)',
  async (isolation) => {
    const { body: blueprint } = await panel.admin.post('/api/v1/blueprints').send({ name: isolation }).expect(201);
    await panel.admin.post('/api/v1/servers').send({ name: isolation, blueprintId: blueprint.id }).expect(201);
    const pid = await startWorker(WITH_CHILDREN, isolation);
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
    await startWorker(WITH_CHILDREN, isolation);
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
    );
    worker?.kill('SIGKILL');
  },
);

it('ends a script whose worker was killed, and frees the disk of all it had made but its cache', async () => {
  const bubblewrap = await systemProgram({
    names: ['bwrap'],
    packages: ['bubblewrap'],
    cacheFolder: await cacheFolder(),
    report: (line) => process.stderr.write(`${line}\n`),
  });
  const pid = await startWorker(WITH_SCRIPTS, bubblewrap);
  const { body: hosts } = await panel.admin.get('/api/v1/hosts').expect(200);
  const install = await panel.admin.post(`/api/v1/hosts/${hosts.items[0].id}/jobs`).send({ operation: 'install' });
  await eventually('the game is there', async () => (await job(install.body.id)).state === 'succeeded');
  const { body: overlay } = await panel.admin
    .post('/api/v1/overlays')
    .send({ name: 'made', kind: 'script' })
    .expect(201);
  const script = 'touch made $LEFT4ME_CACHE/kept /tmp/x\nexec sleep 4243';
  await panel.admin.put(`/api/v1/overlays/${overlay.id}/script`).send({ script }).expect(200);
  const { body: build } = await panel.admin.post(`/api/v1/overlays/${overlay.id}/builds`).expect(202);
  await eventually('the script runs', async () =>
    (await descendants(pid)).some(({ command }) => command.includes('sleep 4243')),
  );
  const started = await descendants(pid);
  const left = async (): Promise<string[]> => {
    const places = ['builds', 'cache/script-runs', 'cache/script-tmp', 'cache/scripts'];
    const here = places.map((place) => readdir(path.join(panel.settings.root, place)));
    return (await Promise.all(here)).map((names, at) => `${places[at]}: ${names.join(' ')}`);
  };
  expect((await left()).every((line) => line.endsWith(`: ${overlay.id}`))).toBe(true);

  worker?.kill('SIGKILL');
  await startWorker(WITH_SCRIPTS, bubblewrap);
  await eventually('the build has ended', async () => (await job(build.id)).state === 'failed');
  expect(await survivors(started)).toEqual([]);
  expect(await left()).toEqual([
    'builds: ',
    'cache/script-runs: ',
    'cache/script-tmp: ',
    `cache/scripts: ${overlay.id}`,
  ]);
  worker?.kill('SIGKILL');
});
