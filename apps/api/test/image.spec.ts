import { randomBytes } from 'node:crypto';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort } from './free-port.js';
import { PASSWORD, RealPanel } from './real-panel.js';
import { StateFolder } from './state-folder.js';
import { type StoppableServices, stoppableServices } from './stoppable-services.js';

const CHECKOUT = fileURLToPath(new URL('../../..', import.meta.url));
const BUILT = '/src/';

interface Copy {
  sources: string[];
  /** Of the stage that builds; the others are of the checkout, as far as .dockerignore lets them through. */
  built: boolean;
  target: string;
}

let image: string;
let services: StoppableServices;
beforeAll(async () => {
  [image, services] = await Promise.all([mkdtemp(join(tmpdir(), 'left4me-image-')), stoppableServices()]);
  await chmod(image, 0o755);
});
afterAll(async () => {
  await Promise.all([services.remove(), rm(image, { recursive: true, force: true })]);
});

/** What the COPY lines of the Dockerfile's stages say. */
async function copies(): Promise<Copy[][]> {
  const text = await readFile(join(CHECKOUT, 'Dockerfile'), 'utf8');
  const [, ...stages] = text.split(/^FROM .*$/m);
  return stages.map((stage) =>
    [...stage.matchAll(/^COPY (--from=build )?(.+)$/gm)].map(([, from, words = '']) => {
      const paths = words.split(' ');
      return { built: from !== undefined, sources: paths.slice(0, -1), target: paths.at(-1) ?? '' };
    }),
  );
}

/** As COPY does it, with the checkout in the place of the stage that builds. */
async function place({ sources, built, target }: Copy): Promise<void> {
  for (const source of sources) {
    const path = built ? source.slice(BUILT.length) : source;
    const to = join(image, target.endsWith('/') ? join(target, path.split('/').at(-1) ?? '') : target);
    await mkdir(dirname(to), { recursive: true });
    if (path === 'node_modules') await linkPackages(join(CHECKOUT, path), to);
    else await cp(join(CHECKOUT, path), to, { recursive: true });
  }
}

/** Each package by a link, but our own: their links lead to what is beside them. */
async function linkPackages(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const name of await readdir(from)) {
    if (name === '@left4me') await cp(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true });
    else await symlink(join(from, name), join(to, name));
  }
}

it('the image is made of what .dockerignore lets through, and of packages in one folder', async () => {
  const ignored = (await readFile(join(CHECKOUT, '.dockerignore'), 'utf8')).split('\n').filter((line) => line !== '');
  const given = (await copies()).flat().filter(({ built }) => !built);
  for (const source of given.flatMap(({ sources }) => sources)) {
    expect(ignored, source).not.toContain(source);
    for (const part of source.split('/')) expect(ignored, source).not.toContain(`**/${part}`);
  }
  // The Dockerfile copies no others.
  const { packages } = JSON.parse(await readFile(join(CHECKOUT, 'package-lock.json'), 'utf8'));
  expect(Object.keys(packages).filter((path) => /^(apps|libs)\/.*node_modules/.test(path))).toEqual([]);
});

it('the image has all that the API reads when it runs', { timeout: 120_000 }, async () => {
  const last = (await copies()).at(-1) ?? [];
  expect(last.length).toBeGreaterThan(5);
  for (const copy of last) await place(copy);
  const folder = await StateFolder.make(join(image, 'apps/api/bin/left4me.mjs'));
  const env = {
    DATABASE_URL: services.postgres.url,
    REDIS_URL: services.redis.url,
    SECRET_KEY: randomBytes(32).toString('hex'),
    LEFT4ME_ADMIN_PASSWORD: PASSWORD,
  };
  const panel = new RealPanel(folder, await freePort(), env, ['--role', 'api']);
  try {
    await panel.start();
    await panel.logIn('admin', PASSWORD);
    expect((await panel.admin.get('/').expect(200)).text).toContain('<div id="app">');
    expect((await panel.admin.get('/api/v1/hosts').expect(200)).body.items).toEqual(expect.any(Array));
    const seeded = await folder.finish(['seed-script-overlays'], env);
    expect(seeded).toMatchObject({ code: 0, stdout: expect.stringMatching(/^(Made ".*"\.\n){3}$/) });
    const { body: overlay } = await panel.admin
      .post('/api/v1/overlays')
      .send({ name: 'x', kind: 'script' })
      .expect(201);
    const broken = await panel.admin.put(`/api/v1/overlays/${overlay.id}/script`).send({ script: 'if' });
    expect(broken.body.errors).toMatchObject([{ message: expect.stringContaining('syntax error') }]);
  } finally {
    await panel.close();
  }
});
