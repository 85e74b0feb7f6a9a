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
  description: string;
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
