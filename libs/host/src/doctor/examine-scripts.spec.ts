import { expect, it } from 'vitest';
import { HostError } from '../errors.js';
import { examineScripts } from './examine-scripts.js';

it('left4me doctor goes on where systemd does not answer whether it has the unit for scripts', async () => {
  const silent = new HostError('systemd-unreadable', 'systemctl failed: Failed to connect to bus');
  const sandbox = { require: () => Promise.reject(silent) };
  expect(await examineScripts({ root: '/nowhere', serviceManager: 'systemd' }, sandbox)).toMatchObject({
    state: 'warning',
    about: 'scripts of overlays',
    found: silent.message,
  });
});
