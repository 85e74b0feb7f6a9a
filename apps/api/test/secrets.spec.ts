import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GivenValues } from '../src/secrets/given-values.js';
import { maskedLine } from '../src/secrets/masked-line.js';
import { SecretValues } from '../src/secrets/secret-values.js';
import { ServerMasks } from '../src/secrets/server-masks.js';
import { type Agent, startApp, type TestApp } from './app.js';

const URL = '/api/v1/secrets';
const BLUEPRINTS = '/api/v1/blueprints';
let panel: TestApp;
let anna: Agent;
let ben: Agent;
beforeAll(async () => {
  panel = await startApp();
  await panel.database.query(`INSERT INTO hosts (name) VALUES ('local') ON CONFLICT DO NOTHING`);
  [anna, ben] = [await panel.user('anna'), await panel.user('ben')];
});
afterAll(() => panel.close());

let count = 0;
const fresh = (prefix: string) => `${prefix}${(count += 1)}`;
const set = async (agent: Agent, name: string, value: string) =>
  (await agent.put(`${URL}/${name}`).send({ value }).expect(200)).body;
const blueprint = async (agent: Agent, body: object) =>
  (
    await agent
      .post(BLUEPRINTS)
      .send({ name: fresh('b'), ...body })
      .expect(201)
  ).body;
const errorsOf = (response: { body: { errors?: { path: string; message: string }[] } }) => response.body.errors ?? [];
const row = async (name: string) =>
  (
    await panel.database.query<{ version: number; sealed: Buffer }[]>(
      `SELECT version, sealed FROM secrets WHERE name = $1`,
      [name],
    )
  )[0];

describe('a secret', () => {
  it('is set, listed without its value and encrypted at rest; another value is another version, the same one is not', async () => {
    const made = await set(anna, 'GSLT', 'first value 1');
    expect(made).toEqual({
      name: 'GSLT',
      blueprints: [],
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect((await anna.get(URL).expect(200)).body).toEqual({ items: [made], nextCursor: null });
    const before = await row('GSLT');
    expect(before?.sealed.includes('first')).toBe(false);
    expect(panel.app.get(SecretValues).open(before?.sealed ?? Buffer.alloc(0))).toBe('first value 1');

    expect(await set(anna, 'GSLT', 'first value 1')).toEqual(made);
    expect(await row('GSLT')).toEqual(before);
    const changed = await set(anna, 'GSLT', 'second value 2');
    expect(Date.parse(changed.updatedAt)).toBeGreaterThan(Date.parse(made.updatedAt));
    const after = await row('GSLT');
    expect(after).toMatchObject({ version: 2 });
    expect(panel.app.get(SecretValues).open(after?.sealed ?? Buffer.alloc(0))).toBe('second value 2');
    await anna.delete(`${URL}/GSLT`).expect(204);
    await anna.delete(`${URL}/GSLT`).expect(404);
    expect((await anna.get(URL)).body.items).toEqual([]);
  });

  it('is made once by requests that come together', async () => {
    const values = Array.from({ length: 4 }, (_, index) => `together ${index}`);
    await Promise.all(values.map((value) => set(anna, 'MANY', value)));
    expect(await row('MANY')).toMatchObject({ version: 4 });
  });

  it('is its owner’s: admins neither see nor set it, and have their own of the same name', async () => {
    await set(anna, 'OWN', 'annas value');
    await set(panel.admin, 'OWN', 'admins value');
    expect((await ben.get(URL)).body.items).toEqual([]);
    await ben.delete(`${URL}/OWN`).expect(404);
    await panel.admin.delete(`${URL}/OWN`).expect(204);
    expect((await anna.get(URL)).body.items.map(({ name }: { name: string }) => name)).toContain('OWN');
    await panel.anonymous.get(URL).expect(401);
    await panel.anonymous
      .put(`${URL}/OWN`)
      .send({ value: 'x'.repeat(8) })
      .expect(401);
  });

  it.each<[string, string, object, string, RegExp]>([
    ['a name with a dash', 'a-b', { value: 'abcd' }, 'name', /letters/],
    ['a name that begins with a digit', '1a', { value: 'abcd' }, 'name', /digit/],
    ['a long name', 'x'.repeat(65), { value: 'abcd' }, 'name', /64/],
    ['no value', 'A', {}, 'value', /missing/],
    ['a value that is no text', 'A', { value: 12_345 }, 'value', /string/],
    ['a short value', 'A', { value: 'abc' }, 'value', /4/],
    ['a long value', 'A', { value: 'x'.repeat(1025) }, 'value', /1024/],
    ['several lines', 'A', { value: 'abcd\nefgh' }, 'value', /one line/],
    ['what is not ASCII', 'A', { value: 'Zoë12' }, 'value', /ASCII/],
    ['double quotes', 'A', { value: 'ab"cd' }, 'value', /quotes/],
    ['spaces around it', 'A', { value: ' abcd' }, 'value', /space/],
    ['an unknown field', 'A', { value: 'abcd', name: 'B' }, 'name', /not a field/],
  ])('refuses %s', async (_what, name, body, path, message) => {
    const refused = await ben.put(`${URL}/${name}`).send(body).expect(400);
    expect(errorsOf(refused)).toContainEqual({ path, message: expect.stringMatching(message) });
    expect(JSON.stringify(refused.body)).not.toContain('efgh');
    expect((await ben.get(URL)).body.items).toEqual([]);
  });
});

describe('a blueprint that uses secrets', () => {
  it('names only its owner’s, and keeps them from being deleted', async () => {
    await set(anna, 'USED', 'used value');
    const made = await blueprint(anna, { config: 'sv_x "{{secret.USED}}"' });
    expect((await anna.get(URL)).body.items.find(({ name }: { name: string }) => name === 'USED').blueprints).toEqual([
      { id: made.id, name: made.name },
    ]);
    const refused = await anna.delete(`${URL}/USED`).expect(409);
    expect(refused.body.detail).toContain(made.name);

    const foreign = await ben
      .post(BLUEPRINTS)
      .send({ name: fresh('b'), config: '{{secret.USED}}' })
      .expect(400);
    expect(errorsOf(foreign)).toEqual([{ path: 'config', message: expect.stringContaining('no secret named USED') }]);

    await anna.patch(`${BLUEPRINTS}/${made.id}`).send({ config: '', description: 'x' }).expect(200);
    await anna.delete(`${URL}/USED`).expect(204);
  });

  it('goes on using its owner’s when an admin changes it', async () => {
    await set(anna, 'HERS', 'hers value');
    await set(panel.admin, 'ADMINS', 'admins value');
    const made = await blueprint(anna, {});
    const patch = (config: string) => panel.admin.patch(`${BLUEPRINTS}/${made.id}`).send({ config });
    await patch('x {{secret.HERS}}').expect(200);
    await patch('x {{secret.ADMINS}}').expect(400);
    const names = async (agent: Agent, query = '') =>
      (await agent.get(`${BLUEPRINTS}/variables${query}`).expect(200)).body.items
        .map(({ name }: { name: string }) => name)
        .filter((name: string) => name.startsWith('secret.'));
    expect(await names(panel.admin, `?blueprintId=${made.id}`)).toContain('secret.HERS');
    expect(await names(panel.admin, `?blueprintId=${made.id}`)).not.toContain('secret.ADMINS');
    expect(await names(panel.admin)).toEqual(['secret.ADMINS']);
    await ben.get(`${BLUEPRINTS}/variables?blueprintId=${made.id}`).expect(404);
  });

  it('never loses one to a deletion at the same moment', async () => {
    for (let i = 0; i < 8; i += 1) {
      const name = fresh('RACE');
      await set(anna, name, 'raced value');
      const [saved, deleted] = await Promise.all([
        anna.post(BLUEPRINTS).send({ name: fresh('b'), config: `x {{secret.${name}}}` }),
        anna.delete(`${URL}/${name}`),
      ]);
      expect([saved.status, deleted.status]).toSatisfy(
        ([save, gone]: number[]) => (save === 201 && gone === 409) || (save === 400 && gone === 204),
      );
    }
  });
});

describe('what may not be shown of a server', () => {
  const given = (serverId: number, values: string[]) =>
    panel.database.transaction((manager) => panel.app.get(GivenValues).note(serverId, values, manager));
  const server = async (): Promise<number> => {
    const { id } = await blueprint(ben, {});
    const made = await ben
      .post('/api/v1/servers')
      .send({ name: fresh('s'), blueprintId: id })
      .expect(201);
    return made.body.id;
  };

  it('is its password and what it was ever given, each once, and nothing of other servers or of what it was not given', async () => {
    const masks = panel.app.get(ServerMasks);
    const [one, other] = [await server(), await server()];
    await set(ben, 'NEVER', 'never given');
    const [password = ''] = await masks.valuesOf(one);
    expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
    expect(maskedLine(`x ${password}`, await masks.of(one))).toBe('x ***');
    await given(one, [password, 'first value', 'second value', 'first value']);
    await given(other, ['of another']);
    await given(one, [password, 'second value']);
    masks.forget(one);
    expect((await masks.valuesOf(one)).sort()).toEqual([password, password, 'first value', 'second value'].sort());
    const text = `${password} first value second value of another never given`;
    expect(maskedLine(text, await masks.of(one))).toBe('*** *** *** of another never given');
    // A value that was broken at rest cannot have reached a server either; the others are masked all the same.
    await panel.database.query(`UPDATE given_values SET sealed = '\\x0102' WHERE server_id = $1`, [one]);
    expect(await masks.valuesOf(one)).toEqual([password]);
    expect(await masks.valuesOf(2_000_000_000)).toEqual([]);
  });

  it('is a thousand values at most, of which the oldest are forgotten', async () => {
    const id = await server();
    await given(id, ['kept value', 'oldest value']);
    for (const hundred of Array.from({ length: 10 }, (_, index) => index)) {
      await given(id, ['kept value', ...Array.from({ length: 100 }, (_, index) => `value ${hundred * 100 + index}`)]);
    }
    const values = await panel.app.get(ServerMasks).valuesOf(id);
    expect(values).toHaveLength(1 + 1000);
    expect(values).toContain('kept value');
    expect(values).not.toContain('oldest value');
    expect(values).toContain('value 999');
  });
});
