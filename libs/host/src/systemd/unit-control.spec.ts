import { expect, it } from 'vitest';
import type { Run } from '../host.js';
import { UnitControl } from './unit-control.js';

it('passes on what systemctl complains of, not the links it makes and removes', async () => {
  const lines = [
    "Created symlink '/etc/systemd/system/multi-user.target.wants/left4me-server@one.service' → '/etc/systemd/system/left4me-server@.service'.",
    "Removed '/etc/systemd/system/multi-user.target.wants/left4me-server@one.service'.",
    'Created symlink /etc/systemd/system/multi-user.target.wants/left4me-server@one.service → /etc/systemd/system/left4me-server@.service.',
    'Removed "/etc/systemd/system/multi-user.target.wants/left4me-server@one.service".',
    'Failed to enable unit: Access denied',
  ];
  const said: string[] = [];
  const asked: (readonly string[])[] = [];
  const control = new UnitControl({
    run: async ({ command }, { output }) => {
      asked.push(command);
      for (const line of lines) await output.write('stderr', line);
    },
  });
  const write = (stream: string, line: string) => {
    said.push(`${stream} ${line}`);
    return Promise.resolve();
  };
  const run: Run = { signal: new AbortController().signal, output: { write, progress: () => undefined } };
  await control.enable('one', run);
  expect(said).toEqual(['stderr Failed to enable unit: Access denied']);
  const words = ['enable', '--now', '--no-block', 'left4me-server@one.service'];
  expect(asked).toEqual([['/usr/bin/sudo', '--non-interactive', '/usr/bin/systemctl', ...words]]);
});
