import { expect, it } from 'vitest';
import { newHostCommand, workerCommand } from './worker-command';

it('starts a worker as its host runs its servers: by systemd, or from the checkout', () => {
  expect(workerCommand({ name: 'attic', serviceManager: 'systemd' })).toBe('systemctl start left4me-worker');
  const byHand = 'LEFT4ME_HOST=attic npm start -- --role worker';
  expect(workerCommand({ name: 'attic', serviceManager: 'process' })).toBe(byHand);
  expect(workerCommand({ name: 'attic', serviceManager: null })).toBe(byHand);
});

it('makes another machine a host by the installer where the panel is installed', () => {
  expect(newHostCommand('attic', true)).toMatch(/^sudo .* LEFT4ME_HOST=attic deploy\/install\.sh --worker-only$/);
  expect(newHostCommand('attic', false)).toBe('LEFT4ME_HOST=attic npm start -- --role worker');
});
