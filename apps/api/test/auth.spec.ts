import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Session } from '../src/auth/session.entity.js';
import { User } from '../src/users/user.entity.js';
import { PASSWORD, startApp, type TestApp } from './app.js';

const LOGIN = '/api/v1/auth/login';
const ME = '/api/v1/auth/me';

let panel: TestApp;
beforeAll(async () => {
  panel = await startApp({ trustedProxies: ['127.0.0.1'] });
});
afterAll(() => panel.close());

/** Another address for every test that fails logins, so that they do not share a limit. */
let addresses = 0;
const fromElsewhere = () => `192.0.2.${(addresses += 1)}`;

describe('logging in', () => {
  it('answers the user and sets a cookie that scripts in the page cannot read', async () => {
    const answer = await panel.anonymous.post(LOGIN).send({ username: 'ADMIN', password: PASSWORD }).expect(200);
    expect(answer.body).toMatchObject({ name: 'admin', role: 'admin', disabled: false });
    expect(Object.keys(answer.body).sort()).toEqual(['createdAt', 'disabled', 'id', 'lastLoginAt', 'name', 'role']);
    expect(answer.get('Set-Cookie')?.[0]).toMatch(
      /^left4me_session=[\w-]{43}; Max-Age=2592000; Path=\/; .*HttpOnly; SameSite=Lax$/,
    );
  });

  it('marks the cookie Secure when a trusted proxy says https', async () => {
    const answer = await supertest(panel.url)
      .post(LOGIN)
      .set('X-Forwarded-Proto', 'https')
      .send({ username: 'admin', password: PASSWORD });
    expect(answer.get('Set-Cookie')?.[0]).toContain('; Secure');
  });

  it('says the same of a wrong password and an unknown name, after about the same time', async () => {
    /**
     * What both sides of it cost, which what else the machine does leaves as it is (ms): hashing a password is what takes the time. A
     * difference that is spent waiting (for a query, a timer) is not seen.
     */
    const attempt = async (username: string) => {
      const before = process.cpuUsage();
      const { body } = await panel.anonymous
        .post(LOGIN)
        .set('X-Forwarded-For', fromElsewhere())
        .send({ username, password: 'wrong' })
        .expect(401);
      const { user, system } = process.cpuUsage(before);
      return { detail: body.detail, ms: (user + system) / 1000 };
    };
    await attempt('warm-up');
    const least = { known: Infinity, unknown: Infinity };
    for (let turn = 0; turn < 5; turn++) {
      const [known, unknown] = [await attempt('admin'), await attempt('nobody')];
      expect(known.detail).toBe(unknown.detail);
      least.known = Math.min(least.known, known.ms);
      least.unknown = Math.min(least.unknown, unknown.ms);
    }
    expect(least.unknown).toBeGreaterThan(least.known / 2);
  });

  it('names what is missing', async () => {
    const { body } = await panel.anonymous.post(LOGIN).send({ username: 7 }).expect(400);
    expect(body.errors).toEqual([
      { path: 'username', message: 'must be a string' },
      { path: 'password', message: 'is missing' },
    ]);
  });

  it('refuses a disabled user, whose open session ends at once', async () => {
    const agent = await panel.user('disabled-one');
    await panel.database.getRepository(User).update({ name: 'disabled-one' }, { disabled: true });
    await agent.get(ME).expect(401);
    await panel.anonymous.post(LOGIN).send({ username: 'disabled-one', password: PASSWORD }).expect(401);
  });

  it('answers 429 with Retry-After after ten failures from one address, and still lets others in', async () => {
    const address = fromElsewhere();
    const attempt = (from: string, password: string) =>
      panel.anonymous.post(LOGIN).set('X-Forwarded-For', from).send({ username: 'admin', password });
    const statuses = await Promise.all(
      Array.from({ length: 14 }, async () => (await attempt(address, 'wrong')).status),
    );
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    const refused = await attempt(address, PASSWORD).expect(429);
    expect(Number(refused.get('Retry-After'))).toBeGreaterThan(800);
    await attempt(fromElsewhere(), PASSWORD).expect(200);
  });
});

describe('sessions', () => {
  it('keep only the hash of their secret', async () => {
    const answer = await panel.anonymous.post(LOGIN).send({ username: 'admin', password: PASSWORD });
    const secret = /left4me_session=([\w-]+)/.exec(answer.get('Set-Cookie')?.[0] ?? '')?.[1] ?? '';
    const hashes = (await panel.database.getRepository(Session).find()).map((session) =>
      session.secretHash.toString('hex'),
    );
    expect(hashes).not.toContain(Buffer.from(secret).toString('hex'));
    expect(hashes.every((hash) => hash.length === 64)).toBe(true);
  });

  it('end at the logout', async () => {
    const agent = await panel.user();
    const cookie =
      (await agent.post(LOGIN).send({ username: 'admin', password: PASSWORD })).get('Set-Cookie')?.[0]?.split(';')[0] ??
      '';
    await agent.post('/api/v1/auth/logout').expect(204);
    await agent.get(ME).expect(401);
    await supertest(panel.url).get(ME).set('Cookie', cookie).expect(401);
  });

  it('end after their time, and slide when they are used', async () => {
    const agent = await panel.user('slider');
    const { id: userId } = await panel.database.getRepository(User).findOneByOrFail({ name: 'slider' });
    const sessions = panel.database.getRepository(Session);
    await sessions.update({ userId }, { expiresAt: new Date(Date.now() + 5 * 24 * 3600 * 1000) });
    const answer = await agent.get(ME).expect(200);
    expect(answer.get('Set-Cookie')?.[0]).toContain('Max-Age=2592000');
    const { expiresAt } = await sessions.findOneByOrFail({ userId });
    expect(expiresAt.getTime()).toBeGreaterThan(Date.now() + 29 * 24 * 3600 * 1000);
    expect((await agent.get(ME)).get('Set-Cookie')).toBeUndefined();

    await sessions.update({ userId }, { expiresAt: new Date(Date.now() - 1000) });
    await agent.get(ME).expect(401);
    await panel.logIn('admin');
    expect(await sessions.countBy({ userId })).toBe(0);
  });
});

describe('changing the password', () => {
  it('needs the current one, ends the other sessions and keeps this one', async () => {
    const [here, there] = [await panel.user('changer'), await panel.logIn('changer')];
    const change = (currentPassword: string, newPassword: string) =>
      here.put('/api/v1/auth/me/password').send({ currentPassword, newPassword });
    const wrong = await change('not it', 'a new password').expect(400);
    expect(wrong.body.errors).toEqual([{ path: 'currentPassword', message: 'is not your password' }]);
    const short = await change(PASSWORD, 'short').expect(400);
    expect(short.body.errors[0].path).toBe('newPassword');
    await change(PASSWORD, 'a new password').expect(204);
    await here.get(ME).expect(200);
    await there.get(ME).expect(401);
    await panel.logIn('changer', 'a new password');
  });
});

describe('other origins', () => {
  const logout = () => supertest(panel.url).post('/api/v1/auth/logout');

  it('may not change anything', async () => {
    await logout().set('Origin', 'https://evil.example').expect(403);
    await logout().set('Origin', 'null').expect(403);
    await logout().set('Origin', `${panel.url}.evil.example`).expect(403);
    await logout().set('Sec-Fetch-Site', 'cross-site').expect(403);
    await logout().set('Sec-Fetch-Site', 'same-site').set('Origin', panel.url).expect(403);
  });

  it('are told from the own one', async () => {
    await logout().set('Origin', panel.url).expect(204);
    await logout().set('Sec-Fetch-Site', 'same-origin').expect(204);
    await logout().expect(204);
  });

  it('get no CORS headers', async () => {
    const answer = await supertest(panel.url).get(ME).set('Origin', 'https://evil.example');
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});
