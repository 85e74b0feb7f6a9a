import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FolderDownloads } from '../src/downloads/folder-downloads.js';
import { UserPlaces } from '../src/problems/user-places.js';
import { startApp, type TestApp } from './app.js';

let app: TestApp;
let server: { name: string; blueprintId: number };
const made = async (path: string, body: object): Promise<number> =>
  (await app.admin.post(`/api/v1/${path}`).send(body).expect(201)).body.id;

beforeAll(async () => {
  app = await startApp();
  server = { name: 'beta', blueprintId: await made('blueprints', { name: 'b', overlays: [] }) };
  await made('servers', server);
});
afterAll(() => app.close());

describe('without a worker, or far from the server', () => {
  it('the files are not to be had, which is told', async () => {
    const away = await app.admin.get('/api/v1/servers/beta/files').expect(503);
    expect(away.body.detail).toContain('worker is not running');
    const [{ id }] = await app.database.query<[{ id: number }]>(
      `INSERT INTO hosts (name) VALUES ('attic') RETURNING id`,
    );
    await made('servers', { ...server, name: 'gamma', hostId: id });
    const far = await app.admin.get('/api/v1/servers/gamma/files').expect(409);
    expect(far.body.detail).toContain('on the host attic');
  });
});

describe('folders as zip files', () => {
  it('are packed a few at a time, of overlays and servers together, and who waits for long is told', async () => {
    const downloads = app.app.get(FolderDownloads, { strict: false });
    downloads.places = new UserPlaces(1, 'busy', 50);
    const overlay = await made('overlays', { name: 'pack', catalog: true });
    const paths = [`overlays/${overlay}/files/archive`, 'servers/beta/files/archive'];
    let end = (): void => undefined;
    const other = downloads.places.hold(0, () => new Promise<void>((done) => (end = done)), AbortSignal.any([]));
    for (const path of paths) {
      const refused = await app.admin.get(`/api/v1/${path}`).expect(503);
      expect(refused.headers['retry-after']).toBe('15');
      expect(refused.body.detail).toBe('The panel is already busy: send this again in a moment.');
    }
    end();
    await other;
    // Each gives its place back, also when it fails.
    await app.admin.get('/api/v1/servers/beta/files/archive').expect(503, /worker is not running/);
    for (let i = 0; i < 2; i++) await app.admin.get(`/api/v1/${paths[0]}`).expect(200);
  });
});
