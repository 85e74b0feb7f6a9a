import { expect, it, onTestFinished, vi } from 'vitest';
import { limits } from './examine-systemd.js';

it.each([
  ['LEFT4ME_SERVER_MEMORY', '3GB'],
  ['LEFT4ME_SERVER_CPU', '150'],
  ['LEFT4ME_SERVER_TASKS', 'many'],
])('left4me doctor says that %s=%s is wrong, and in which file', async (name, value) => {
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
  expect((await limits()).state).not.toBe('bad');
  vi.stubEnv(name, value);
  const { state, found } = await limits();
  expect({ state, found }).toEqual({
    state: 'bad',
    found: expect.stringContaining(`${name} is ${value}: it must look`),
  });
  expect(found).toContain('/etc/left4me/host.env');
});
