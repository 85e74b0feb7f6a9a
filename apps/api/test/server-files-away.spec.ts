import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from './app.js';

describe('without a worker, or far from the server', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('the files are not to be had, which is told', async () => {
    const blueprintId = (await app.admin.post('/api/v1/blueprints').send({ name: 'b', overlays: [] }).expect(201)).body
      .id;
    const server = { name: 'beta', blueprintId };
    await app.admin.post('/api/v1/servers').send(server).expect(201);
    const away = await app.admin.get('/api/v1/servers/beta/files').expect(503);
    expect(away.body.detail).toContain('worker is not running');
    const [{ id }] = await app.database.query<[{ id: number }]>(
      `INSERT INTO hosts (name) VALUES ('attic') RETURNING id`,
    );
    await app.admin
      .post('/api/v1/servers')
      .send({ ...server, name: 'gamma', hostId: id })
      .expect(201);
    const far = await app.admin.get('/api/v1/servers/gamma/files').expect(409);
    expect(far.body.detail).toContain('on the host attic');
  });
});
