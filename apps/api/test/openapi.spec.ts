import supertest from 'supertest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApp, type TestApp } from './app.js';

let panel: TestApp;
beforeAll(async () => {
  panel = await startApp();
});
afterAll(() => panel.close());

interface Operation {
  security: Record<string, string[]>[];
  summary?: string;
  description: string;
  parameters?: { name: string; in: string; description?: string }[];
  requestBody?: unknown;
  responses: Record<string, { content?: Record<string, { schema: { $ref?: string } }> }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
}

const read = async (): Promise<Document> => (await supertest(panel.url).get('/api/openapi.json').expect(200)).body;

it('says for each route who may use it', async () => {
  const { paths, components, openapi } = await read();
  expect(openapi).toBe('3.1.0');
  expect(Object.keys(components.securitySchemes)).toEqual(['session', 'token']);
  expect(paths['/api/v1/auth/login']?.['post']?.security).toEqual([]);
  expect(paths['/api/v1/auth/me']?.['get']?.security).toEqual([{ session: [] }, { token: ['read'] }]);
  expect(paths['/api/v1/tokens']?.['post']?.security).toEqual([{ session: [] }]);
  expect(paths['/api/v1/users']?.['get']?.description).toContain('For admins.');
});

it('describes every answer: a body for each success, a problem for each failure', async () => {
  const { paths, components } = await read();
  expect(components.schemas).toHaveProperty('Problem');
  const undescribed: string[] = [];
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { responses }] of Object.entries(operations)) {
      const name = `${method} ${path}`;
      expect(responses['default']?.content?.['application/problem+json']?.schema.$ref, name).toBe(
        '#/components/schemas/Problem',
      );
      const success = Object.entries(responses).find(([status]) => status.startsWith('2'));
      if (!success || (success[0] !== '204' && !success[1].content)) undescribed.push(name);
    }
  }
  expect(undescribed).toEqual([]);
});

it('says of every operation what it does and how it fails', async () => {
  const { paths } = await read();
  const wanting: string[] = [];
  const said = new Map<string, string>();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, { summary, security, parameters = [], requestBody, responses }] of Object.entries(operations)) {
      const name = `${method} ${path}`;
      if (!/^[A-Z].{5,80}[^.]$/.test(summary ?? '')) wanting.push(`${name} has the summary ${summary}`);
      const other = said.get(summary ?? '');
      if (other) wanting.push(`${name} has the summary of ${other}`);
      said.set(summary ?? '', name);
      const due = [
        ...(security.length > 0 ? ['401', '403'] : []),
        ...(parameters.length > 0 || requestBody ? ['400'] : []),
        ...(path.includes('{') ? ['404'] : []),
        ...(security.length > 0 && method !== 'get' ? ['409'] : []),
        ...(path.endsWith('/auth/login') ? ['401', '429'] : []),
      ];
      for (const status of due)
        if (!responses[status]?.content?.['application/problem+json'])
          wanting.push(`${name} says nothing of ${status}`);
    }
  }
  expect(wanting).toEqual([]);
});

it('says for what an Idempotency-Key counts, and where there is none', async () => {
  const { paths } = await read();
  const key = (path: string) =>
    paths[`/api/v1/${path}`]?.['post']?.parameters?.find(({ name }) => name === 'Idempotency-Key');
  for (const path of ['servers/{id}/jobs', 'hosts/{id}/jobs'])
    expect(key(path)?.description, path).toMatch(/per user and per path.*24 hours.*409/);
  // Its answer is a secret that is shown once.
  expect(key('tokens')).toBeUndefined();
  expect(key('auth/login')).toBeUndefined();
});

it('names what may be a name', async () => {
  const { paths } = await read();
  for (const path of ['servers/{id}', 'servers/{id}/jobs', 'servers/{id}/logs', 'hosts/{id}', 'hosts/{id}/jobs'])
    for (const { parameters = [] } of Object.values(paths[`/api/v1/${path}`] ?? {}))
      expect(parameters.find(({ name }) => name === 'id')?.description, path).toMatch(/'s id or name\.$/);
});

it('has no reference that leads nowhere', async () => {
  const document = await read();
  const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
    (match) => match[1] ?? '',
  );
  expect(references.filter((name) => !(name in document.components.schemas))).toEqual([]);
});

it('has a page that needs nothing from elsewhere', async () => {
  const page = await supertest(panel.url).get('/api/docs').expect(200);
  const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
  expect(sources.length).toBeGreaterThan(3);
  for (const source of sources) {
    const { origin, pathname } = new URL(source, `${panel.url}/api/docs`);
    expect(origin).toBe(panel.url);
    await supertest(panel.url).get(pathname).expect(200);
  }
  expect(page.text).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>/);
});
