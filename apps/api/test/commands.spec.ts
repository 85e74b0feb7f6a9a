import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readExamples } from '../src/commands/seed-script-overlays.js';
import { freePort } from './free-port.js';
import { PASSWORD, RealPanel } from './real-panel.js';
import { StateFolder } from './state-folder.js';

const GIVEN = { LEFT4ME_ADMIN_PASSWORD: PASSWORD };

let folder: StateFolder;
let panel: RealPanel;
beforeAll(async () => {
  folder = await StateFolder.make();
  panel = new RealPanel(folder, await freePort());
});
afterAll(() => panel.close());

const createUser = (args: string[], env: Record<string, string> = GIVEN) =>
  folder.finish(['create-user', ...args], env);

describe('left4me', { timeout: 120_000 }, () => {
  it('names every wrong setting, and starts and makes nothing', async () => {
    const before = await readdir(folder.root);
    const { code, stdout, stderr } = await folder.finish(['serve'], {
      LEFT4ME_PORT: 'eighty',
      STATE_POLLER_INTERVAL_SECONDS: '0',
      DATABASE_URL: 'mysql://somewhere',
      SECRET_KEY: 'short',
    });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trim().split('\n').sort()).toEqual([
      '  DATABASE_URL: must be a URL starting with postgres:// or postgresql://',
      '  LEFT4ME_PORT: must be a whole number from 1 to 65535',
      '  SECRET_KEY: must have at least 32 characters',
      '  STATE_POLLER_INTERVAL_SECONDS: must be a whole number from 1 to 3600',
      'These settings are wrong:',
    ]);
    expect(await readdir(folder.root)).toEqual(before);
  });

  it('says that its port is taken, and leaves nothing running', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(panel.port, '127.0.0.1', resolve));
    const { code, stderr } = await folder.finish(['serve'], { LEFT4ME_PORT: String(panel.port) });
    await new Promise((resolve) => holder.close(resolve));
    expect({ code, stderr }).toEqual({ code: 1, stderr: `LEFT4ME_PORT: port ${panel.port} is taken on 127.0.0.1.\n` });
    expect(await folder.processes()).toEqual([]);
  });

  it('makes a user while it does not run; there is no made-up admin beside them then', async () => {
    expect(await createUser(['chief', '--admin'])).toEqual({
      code: 0,
      stdout: 'Admin "chief" can log in now.\n',
      stderr: '',
    });
    expect(await folder.processes()).toEqual([]);
    await panel.start();
    expect(panel.said()).not.toContain('password');
    await panel.logIn('chief', PASSWORD);
    const { body } = await panel.admin.get('/api/v1/users').expect(200);
    expect(body.items).toMatchObject([{ name: 'chief', role: 'admin', disabled: false }]);
  });

  it('makes users while it runs, who can log in at once', async () => {
    expect(await createUser(['player'])).toEqual({ code: 0, stdout: 'User "player" can log in now.\n', stderr: '' });
    await new RealPanel(folder, panel.port).logIn('player', PASSWORD);
    const { body } = await panel.admin.get('/api/v1/users').expect(200);
    expect(body.items).toMatchObject([{ name: 'player', role: 'user' }, { name: 'chief' }]);
  });

  it('refuses a user without a password or a good name, or one who is there, in one sentence', async () => {
    const refused = await Promise.all([
      createUser(['another'], {}),
      createUser(['another'], { LEFT4ME_ADMIN_PASSWORD: 'short' }),
      createUser(['not a name']),
      createUser(['player']),
    ]);
    expect(refused.map(({ code, stdout }) => ({ code, stdout }))).toEqual(refused.map(() => ({ code: 1, stdout: '' })));
    for (const { stderr } of refused) expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(refused.map(({ stderr }) => stderr)).toEqual([
      expect.stringMatching(/^LEFT4ME_ADMIN_PASSWORD: is not set/),
      expect.stringMatching(/LEFT4ME_ADMIN_PASSWORD: must have/),
      expect.stringMatching(/^name: /),
      expect.stringMatching(/player/),
    ]);
  });

  it('puts the example scripts into the catalog, once, for bash to understand', async () => {
    const names = (await readExamples()).map(({ name }) => name);
    expect(names.length).toBeGreaterThan(2);
    const seeded = await folder.finish(['seed-script-overlays']);
    expect(seeded).toEqual({ code: 0, stdout: names.map((name) => `Made "${name}".\n`).join(''), stderr: '' });
    const again = await folder.finish(['seed-script-overlays']);
    expect(again.stdout.split('\n')[0]).toBe(`"${names[0]}" is in the catalog already: left as it is.`);
    const { body } = await panel.admin.get('/api/v1/overlays').expect(200);
    expect(body.items).toHaveLength(names.length);
    for (const { id, name, kind, catalog, description } of body.items) {
      expect({ kind, catalog }, name).toEqual({ kind: 'script', catalog: true });
      expect(description, name).not.toBe('');
      const { body: read } = await panel.admin.get(`/api/v1/overlays/${id}/script`).expect(200);
      // What the console would save again is not refused.
      await panel.admin
        .put(`/api/v1/overlays/${id}/script`)
        .send({ script: `${read.script}# mine\n` })
        .expect(200);
    }
  });

  it('refuses a second copy on the same state in one clear sentence, and the first goes on', async () => {
    const { code, stdout, stderr } = await folder.finish(['serve'], { LEFT4ME_PORT: String(await freePort()) });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      `Another left4me (process ${panel.pid}) is already running on ${folder.root}. Stop it first, or set LEFT4ME_ROOT to another folder.\n`,
    );
    await panel.admin.get('/api/v1/auth/me').expect(200);
  });

  it('ends by SIGTERM with 0 and leaves no process, by SIGINT too', async () => {
    expect(await panel.end('SIGTERM')).toBe(0);
    expect(await folder.processes()).toEqual([]);
    await panel.start();
    expect(await panel.end('SIGINT')).toBe(0);
    expect(await folder.processes()).toEqual([]);
  });
});

it('prints a made-up password for the first admin, once', { timeout: 120_000 }, async () => {
  const fresh = new RealPanel(await StateFolder.make(), await freePort());
  try {
    await fresh.start();
    const password = /The first admin is "admin", password: (\S+)/.exec(fresh.said())?.[1] ?? '';
    expect(password.length).toBeGreaterThan(11);
    await fresh.logIn('admin', password);
    await fresh.end('SIGKILL');
    await fresh.start();
    expect(fresh.said()).not.toContain(password);
    await fresh.admin.get('/api/v1/auth/me').expect(200);
  } finally {
    await fresh.close();
  }
});
