import { expect, it, vi } from 'vitest';
import { StandInHost } from '../../test/stand-in-host.js';
import { readSettings } from '../config/settings.js';
import { HostLibrary, type OpenHost } from './host-library.js';

const settings = {
  ...readSettings({}, { root: '/state' }),
  databaseUrl: '',
  redisUrl: '',
  secretKey: '',
  port: 0,
};

it('opens the machine once', async () => {
  const host = new StandInHost();
  const open = vi.fn<OpenHost>(host.open);
  const library = new HostLibrary(settings, open);
  expect(await Promise.all([library.get(), library.get()])).toEqual([host, host]);
  expect(open.mock.calls).toEqual([
    [
      {
        root: '/state',
        serviceManager: 'process',
        keptFiles: ['*.sq3*', 'banned_*.cfg', 'logs/', '*.dem'],
        replacedDays: 30,
        workshop: { url: 'https://api.steampowered.com', downloads: 4 },
      },
    ],
  ]);
});

it('tries again after it could not be opened', async () => {
  const host = new StandInHost();
  const open = vi.fn<OpenHost>(host.open).mockRejectedValueOnce(new Error('no space left'));
  const library = new HostLibrary(settings, open);
  const [one, two] = await Promise.allSettled([library.get(), library.get()]);
  expect([one.status, two.status]).toEqual(['rejected', 'rejected']);
  expect(await library.get()).toBe(host);
  expect(open).toHaveBeenCalledTimes(2);
});
