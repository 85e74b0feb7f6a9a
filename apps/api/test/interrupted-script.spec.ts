import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemProgram } from '../src/embedded/system-program.js';
import type { JobView } from '../src/jobs/job.dto.js';
import { startApp, type TestApp } from './app.js';
import { cacheFolder } from './cache-folder.js';
import { eventually } from './eventually.js';
import { descendants, survivors } from './process-tree.js';

const PROGRAM = fileURLToPath(new URL('fixtures/script-worker.mjs', import.meta.url));
const ENDLESS = `trap '' TERM INT HUP
head -c 1M /dev/zero >half
touch "$LEFT4ME_CACHE/kept" /tmp/x
(setsid sleep 65432 &)
echo begun
while :; do sleep 65432; done`;

let panel: TestApp;
let bubblewrap: string;
let worker: ChildProcess;
beforeAll(async () => {
  const [names, packages] = [['bwrap'], ['bubblewrap']];
  const report = (line: string) => process.stderr.write(`${line}\n`);
  bubblewrap = await systemProgram({ names, packages, cacheFolder: await cacheFolder(), report });
  panel = await startApp();
  await startWorker();
});
afterAll(async () => {
  worker.kill('SIGKILL');
  await panel.close();
});

/** Starts the worker's process and waits until it serves. */
async function startWorker(): Promise<void> {
  const settings = JSON.stringify(Object.assign({}, panel.settings, { workerEnabled: true, port: 0 }));
  const child = spawn(process.execPath, [PROGRAM, settings, bubblewrap], { stdio: ['ignore', 'pipe', 'inherit'] });
  worker = child;
  await once(child.stdout, 'data');
}

const post = async (path: string, body: object = {}) => (await panel.admin.post(`/api/v1${path}`).send(body)).body;
const ended = async (id: number): Promise<JobView> =>
  (await panel.admin.get(`/api/v1/jobs/${id}?wait=60`).expect(200)).body;

it(
  'a script whose worker was killed is gone with all it started; its job has failed, and the next build begins anew',
  { timeout: 120_000 },
  async () => {
    const { body: hosts } = await panel.admin.get('/api/v1/hosts').expect(200);
    const { id: install } = await post(`/hosts/${hosts.items[0].id}/jobs`, { operation: 'install' });
    expect(await ended(install)).toMatchObject({ state: 'succeeded' });
    const { id } = await post('/overlays', { name: 'interrupted', kind: 'script' });
    const write = (script: string) => panel.admin.put(`/api/v1/overlays/${id}/script`).send({ script }).expect(200);
    await write('echo whole >a.txt');
    expect(await ended((await post(`/overlays/${id}/builds`)).id)).toMatchObject({ state: 'succeeded' });
    await write(ENDLESS);
    const { id: job } = await post(`/overlays/${id}/builds`);
    const ofTheScript = async () =>
      (await descendants(worker.pid ?? 0)).filter(({ command }) => command.startsWith('sleep 65432'));
    await eventually('the script and its daemon run', async () => (await ofTheScript()).length === 2);
    const started = await descendants(worker.pid ?? 0);

    worker.kill('SIGKILL');
    await once(worker, 'exit');
    await eventually('the kernel has ended it', async () => (await survivors(started)).length === 0);
    await startWorker();
    expect(await ended(job)).toMatchObject({
      state: 'failed',
      error: expect.stringMatching(/^interrupted: the worker/),
    });
    for (const place of ['builds', 'cache/script-runs', 'cache/script-tmp']) {
      expect(await readdir(join(panel.settings.root, place)), place).toEqual([]);
    }
    const { body: overlay } = await panel.admin.get(`/api/v1/overlays/${id}`).expect(200);
    expect(overlay).toMatchObject({ currentRevision: { number: 1 }, draft: { changed: true } });

    await write('ls "$LEFT4ME_CACHE" >a.txt');
    expect(await ended((await post(`/overlays/${id}/builds`)).id)).toMatchObject({ state: 'succeeded' });
    const revision = join(panel.settings.root, 'overlays', String(id), '2');
    expect(await readdir(revision)).toEqual(['a.txt']);
    expect(await readFile(join(revision, 'a.txt'), 'utf8')).toBe('kept\n');
  },
);
