import { ConsoleLogger } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { PanelLog } from '../src/panel-log.js';
import { freePort } from './free-port.js';
import { type QueuePanel, startQueue } from './queue-panel.js';

/** What a panel calls an error. */
const errors: string[] = [];
class Errors extends ConsoleLogger {
  override log(): void {}
  override debug(): void {}
  override warn(): void {}
  override error(message: unknown): void {
    errors.push(String(message));
  }
}

let panel: QueuePanel;
beforeAll(async () => {
  const redisUrl = `redis://127.0.0.1:${await freePort()}`;
  panel = await startQueue({ redisUrl, workerEnabled: false }, undefined, { logger: new Errors() });
});
afterAll(() => panel.close());

const away = { status: 503, detail: 'Redis does not answer; this works again when it does.' };

it('what needs Redis says so while it is away, and is no error of the panel', async () => {
  await panel.server('b-1');
  expect((await panel.admin.get('/api/v1/servers/b-1/logs').expect(503)).body).toMatchObject(away);
  expect((await panel.admin.get('/queues').set('Accept', 'text/html').expect(503)).body).toMatchObject(away);
  expect((await panel.admin.get('/queues/api/queues').expect(503)).body).toMatchObject(away);
  expect(errors).toEqual([]);
});

const ESC = '\u001B';
const isTerminal = process.stdout.isTTY;
afterEach(() => {
  process.stdout.isTTY = isTerminal;
  vi.unstubAllEnvs();
});

it.each<[string, boolean | undefined, string, boolean]>([
  ['a terminal', true, '', true],
  ['a terminal with NO_COLOR', true, '1', false],
  ['a file', undefined, '', false],
])('the log on %s: colours %#', (_where, terminal, noColor, coloured) => {
  vi.stubEnv('NO_COLOR', noColor);
  Reflect.set(process.stdout, 'isTTY', terminal);
  const written: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  new PanelLog().log('said', 'Test');
  write.mockRestore();
  expect(written.join('')).toContain('said');
  expect(written.join('').includes(ESC)).toBe(coloured);
});
