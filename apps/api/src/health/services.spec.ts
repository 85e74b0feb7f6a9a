import { Logger } from '@nestjs/common';
import { expect, it, vi } from 'vitest';
import { Services } from './services.js';

it('logs that a service is silent once, however often somebody asks, and again the next time', async () => {
  const warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue();
  let there = false;
  const query = () => Promise.resolve([]);
  const ping = () => (there ? Promise.resolve('PONG') : Promise.reject(new Error('Connection is closed.')));
  const services = new Services({ query } as never, { commands: { ping } } as never);
  const down = { status: 'down', postgres: { status: 'ok' }, redis: { detail: 'Redis does not answer.' } };
  for (const _ of ['first', 'again']) expect(await services.check()).toMatchObject(down);
  expect(warn.mock.calls).toEqual([['Redis: Connection is closed.']]);
  there = true;
  expect(await services.check()).toMatchObject({ status: 'ok' });
  there = false;
  await services.check();
  expect(warn).toHaveBeenCalledTimes(2);
});
