import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApp, type TestApp } from './app.js';

let panel: TestApp;
beforeAll(async () => {
  panel = await startApp();
});
afterAll(() => panel.close());

describe('login', () => {
  it('tells who is logged in', async () => {
    const me = await panel.admin.get('/api/v1/auth/me').expect(200);
    expect(me.body).toMatchObject({ name: 'admin', role: 'admin', disabled: false });
  });
});
