import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { installScript, makeRoot, makeSpec, WAITING_SERVER } from './support/fixture.js';

const PROGRAM = fileURLToPath(new URL('../dist/cli/l4d2ctl.js', import.meta.url));

/** As in Docker or LXC: a process namespace with a /proc of its own, where /proc/locks leaves out what lies outside. */
const CONTAINER = ['--user', '--map-user=1000', '--map-group=1000', '--pid', '--fork', '--kill-child', '--mount-proc'];

it('sees in a container that a server runs, after the program that started it has ended', async () => {
  const root = await makeRoot();
  await installScript(root, WAITING_SERVER);
  const specFile = join(root, 'spec.yaml');
  await writeFile(specFile, `port: ${makeSpec().port}\n`);
  const script = `set -e
    ctl() { "${process.execPath}" "${PROGRAM}" "$@"; }
    ctl initialize one -f "${specFile}"
    ctl start one
    ctl status one
    ctl stop one
    ctl status one`;
  const result = spawnSync('unshare', [...CONTAINER, '/bin/sh', '-c', script], {
    env: { PATH: process.env.PATH, LEFT4ME_ROOT: root },
    encoding: 'utf8',
    timeout: 60_000,
  });
  expect(result.stdout).toMatch(/^one: running, process \d+, generation 1$/m);
  expect(result.stdout).toMatch(/^one: stopped, generation 1$/m);
  expect(result.status).toBe(0);
});
