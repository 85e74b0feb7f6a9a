import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { HostView } from '../src/hosts/host.dto.js';
import type { JobView } from '../src/jobs/job.dto.js';
import { eventually } from './eventually.js';
import { Instance } from './instance.js';
import { PASSWORD, RealPanel } from './real-panel.js';

/** The whole product with a stand-in for steamcmd (libs/host/test/stand-in-steamcmd), while one server runs all the time. */
const SET_UP = fileURLToPath(new URL('../../../libs/host/test/stand-in-steamcmd/set-up.mjs', import.meta.url));
let panel: RealPanel;
let steam: string;
let instance: Instance;
let pids: Awaited<ReturnType<Instance['pids']>>;

const steamGives = (behaviour: object): void =>
  void execFileSync(process.execPath, [SET_UP, steam, JSON.stringify(behaviour)]);
const host = async (): Promise<HostView> => (await panel.admin.get('/api/v1/hosts/local').expect(200)).body;
const lines = async (job: JobView): Promise<string[]> => (await panel.jobLog(job.id)).map(({ line }) => line);
/** Folders of builds, and what is unfinished. */
const onDisk = async (): Promise<string[]> =>
  (await readdir(join(panel.root, 'installation')))
    .filter((name) => !name.endsWith('.json') && name !== 'current')
    .sort();
const installed = async (build?: string): Promise<JobView> => panel.ended((await panel.install(build)).id);
const showing = async (job: JobView, text: RegExp): Promise<JobView> => {
  let seen = job;
  await eventually(
    () => `progress ${String(text)}, it is ${JSON.stringify(seen)}`,
    async () => text.test((seen = await panel.job(job.id)).progress?.text ?? ''),
  );
  return seen;
};

beforeAll(async () => {
  steam = await mkdtemp(join(tmpdir(), 'left4me-steam-'));
  steamGives({ build: '100', mode: 'wait' });
  panel = await RealPanel.empty({ LEFT4ME_STEAMCMD: join(steam, 'steamcmd.sh') });
  await panel.logIn('admin', PASSWORD);
});
afterAll(async () => {
  await panel.close();
  await rm(steam, { recursive: true });
});

it('installs the game, with its progress in the job and all it printed in the log', async () => {
  expect(await host()).toMatchObject({ demo: false, currentBuild: null, updateAvailable: false });
  const job = await panel.install();
  const { progress } = await showing(job, /^downloading \(1 of 2: Windows files\)$/);
  expect(progress?.percent).toBeGreaterThan(0);
  expect(progress?.percent).toBeLessThan(100);
  steamGives({ build: '100' });
  expect(await panel.ended(job.id)).toMatchObject({ state: 'succeeded', exitCode: 0 });
  const log = await lines(job);
  expect(log).toContain("Success! App '222860' fully installed.");
  expect(log).toContainEqual(expect.stringMatching(/^A new build needs about .* are free\.$/));
  expect(await host()).toMatchObject({ currentBuild: '100', newestBuild: '100', updateAvailable: false, demo: false });
  expect((await host()).builds).toMatchObject([{ build: '100', current: true, demo: false }]);
});

it('runs a server of it', async () => {
  const { port } = await panel.server('first', await panel.blueprint('plain'));
  expect(await panel.startServer('first')).toMatchObject({ actualState: 'running', ready: true });
  instance = new Instance(panel.root, 'first', port);
  pids = await instance.pids();
});

it('says what went wrong with an update first, and keeps the build', async () => {
  steamGives({ build: '101', mode: 'state', code: '0x202' });
  const job = await installed();
  expect(job).toMatchObject({
    state: 'failed',
    exitCode: 1,
    error: expect.stringMatching(/^The disk is full: free some/),
  });
  expect(await lines(job)).toContain(job.error);
  expect(await host()).toMatchObject({ currentBuild: '100' });
  expect(await onDisk()).toEqual(['100']);
});

it('cancels an update', async () => {
  steamGives({ build: '101', mode: 'stall' });
  const job = await panel.install();
  await showing(job, /^downloading \(1 of 2: Windows files\)$/);
  await panel.admin.post(`/api/v1/jobs/${job.id}/cancel`).expect(202);
  expect(await panel.ended(job.id)).toMatchObject({ state: 'cancelled', exitCode: null });
  expect(await onDisk()).toEqual(['100']);
});

it('survives being killed in the middle of an update', { timeout: 90_000 }, async () => {
  const job = await panel.install();
  await showing(job, /^downloading \(1 of 2: Windows files\)$/);
  await panel.end('SIGKILL');
  expect(await readlink(join(panel.root, 'installation/current'))).toBe('100');
  await panel.start();
  expect(await panel.ended(job.id)).toMatchObject({ state: 'failed', error: expect.stringMatching(/^interrupted/) });
  expect(await host()).toMatchObject({ currentBuild: '100' });
  steamGives({ build: '101' });
  expect(await installed()).toMatchObject({ state: 'succeeded' });
  expect(await host()).toMatchObject({ currentBuild: '101', newestBuild: '101', updateAvailable: false });
  expect(await onDisk()).toEqual(['100', '101']);
});

it('goes back to a build that is there, and refuses others naming those', async () => {
  expect(await installed('100')).toMatchObject({ state: 'succeeded' });
  expect(await host()).toMatchObject({ currentBuild: '100', newestBuild: '101', updateAvailable: true });
  expect(await installed('99')).toMatchObject({
    state: 'failed',
    error: expect.stringMatching(/^Build 99 is not installed on this host.*installed are: 101, 100$/),
  });
});

it('never touched the server that ran all the time', async () => {
  expect(await instance.pids()).toEqual(pids);
  expect(await panel.get('first')).toMatchObject({ actualState: 'running', ready: true });
});
