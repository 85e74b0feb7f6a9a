import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from './app.js';

let panel: TestApp;
let consoleFolder: string;
beforeAll(async () => {
  consoleFolder = await mkdtemp(path.join(tmpdir(), 'left4me-console-'));
  panel = await startApp({}, { consoleFolder, logger: false });
});
afterAll(async () => {
  await panel.close();
  await rm(consoleFolder, { recursive: true, force: true });
});

describe('every failure is a problem document', () => {
  const login = () => panel.anonymous.post('/api/v1/auth/login');

  it('for an unknown route', async () => {
    for (const unknown of [
      '/api',
      '/api/v1',
      '/api/v1/nothing',
      '/api/v2/users',
      '/health',
      '/health/x',
      '/api/v1/users/1/x',
    ]) {
      const answer = await supertest(panel.url).get(unknown).expect(404);
      expect(answer.type).toBe('application/problem+json');
      expect(answer.body).toMatchObject({ type: 'about:blank', title: 'Not Found', status: 404 });
    }
    await supertest(panel.url)
      .post('/servers')
      .expect(404)
      .expect('Content-Type', /problem\+json/);
  });

  it('for a body that is not JSON, not an object, too large or of another type', async () => {
    const broken = await login().set('Content-Type', 'application/json').send('{"username":').expect(400);
    expect(broken.type).toBe('application/problem+json');
    expect(broken.body.detail).toBe('The body is not valid JSON.');
    await login().set('Content-Type', 'application/json').send('"text"').expect(400);
    const list = await panel.admin.post('/api/v1/users').send([]).expect(400);
    expect(list.body.errors).toEqual([{ path: '', message: 'must be a JSON object' }]);
    const large = await login()
      .send({ username: 'x'.repeat(1_100_000) })
      .expect(413);
    expect(large.body.detail).toBe('The body is over its limit.');
    const form = await login().type('form').send({ username: 'a' }).expect(415);
    expect(form.body.detail).toContain('Content-Type: application/json');
  });

  it('for an address that cannot be decoded, and text that PostgreSQL cannot hold', async () => {
    await panel.admin
      .patch('/api/v1/users/%FF')
      .send({})
      .expect(400)
      .expect('Content-Type', /problem\+json/);
    const nul = await login().send({ username: 'a\0b', password: 'x' }).expect(400);
    expect(nul.body.detail).toBe('Text may not contain NUL characters.');
  });

  it('for what nobody expected, without telling the inside', async () => {
    const { database } = panel;
    await database.query('ALTER TABLE tokens RENAME TO tokens_gone');
    try {
      const answer = await panel.admin.get('/api/v1/tokens').expect(500);
      expect(answer.body).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        detail: 'Something went wrong in the panel; its log says more.',
      });
    } finally {
      await database.query('ALTER TABLE tokens_gone RENAME TO tokens');
    }
  });
});

describe('pages', () => {
  const page = (address: string) => supertest(panel.url).get(address).set('Accept', 'text/html,*/*;q=0.8');

  it('say plainly that the console is not built, and then serve it', async () => {
    const answer = await page('/servers').expect(503);
    expect(answer.type).toBe('text/plain');
    expect(answer.text).toContain('The console is not built');
    await mkdir(path.join(consoleFolder, 'assets'));
    await writeFile(path.join(consoleFolder, 'index.html'), '<title>console</title>');
    await writeFile(path.join(consoleFolder, 'assets', 'main-abc.js'), '1');
    const index = await page('/servers/some-name').expect(200);
    expect(index.text).toBe('<title>console</title>');
    expect(index.get('Cache-Control')).toBe('no-cache');
    const asset = await page('/assets/main-abc.js').expect(200);
    expect(asset.get('Cache-Control')).toBe('public, max-age=31536000, immutable');
    await page('/assets/main-old.js').expect(404);
    await page('/../../package.json').expect(200, '<title>console</title>');
    await page('/%2e%2e/%2e%2e/package.json').expect((answer2) => expect(answer2.text).not.toContain('left4me'));
  });

  it('may run only the panel’s own scripts', async () => {
    const policy = (await page('/')).get('Content-Security-Policy') ?? '';
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('upgrade-insecure-requests');
  });
});

describe('health', () => {
  it('names each service', async () => {
    await supertest(panel.url).get('/health/live').expect(200, { status: 'ok' });
    const ready = { status: 'ok', postgres: { status: 'ok' }, redis: { status: 'ok' } };
    await supertest(panel.url).get('/health/ready').expect(200, ready);
  });

  it('names the one that is away; the panel starts and answers without Redis', async () => {
    const without = await startApp({ redisUrl: 'redis://127.0.0.1:1' }, { logger: false });
    const { body } = await supertest(without.url).get('/health/ready').expect(503);
    expect(body.status).toBe('down');
    expect(body.postgres).toEqual({ status: 'ok' });
    expect(body.redis).toEqual({ status: 'down', detail: 'Redis does not answer.' });
    await without.admin.get('/api/v1/auth/me').expect(200);
    await without.close();
  });

  it('shows measurements to this machine and to admins, not to what a proxy passes on', async () => {
    const answer = await supertest(panel.url).get('/metrics').expect(200);
    expect(answer.text).toContain('process_resident_memory_bytes');
    expect(answer.text).toContain('left4me_jobs{state="queued"} 0');
    expect(answer.text).toMatch(/left4me_http_request_duration_seconds_count\{method="GET",route="\/api\/v1\/tokens"/);
    await supertest(panel.url).get('/metrics').set('X-Forwarded-For', '192.0.2.1').expect(401);
    await panel.admin.get('/metrics').set('X-Forwarded-For', '192.0.2.1').expect(200);
    const user = await panel.user();
    await user.get('/metrics').set('X-Forwarded-For', '192.0.2.1').expect(403);
  });
});
