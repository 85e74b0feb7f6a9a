import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const execute = promisify(execFile);
const SCRIPT = new URL('../../../deploy/bin/with-settings.sh', import.meta.url);
/** Says as whom it was started, with which words and for which address. */
const PROGRAM = `console.log(JSON.stringify([[process.env.AS, process.env.LEFT4ME_BIND ?? null, ...process.argv.slice(2)]]))`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'left4me-test-'));
  const text = await readFile(SCRIPT, 'utf8');
  const here = text
    .replaceAll('/etc/left4me', join(folder, 'etc'))
    .replaceAll('/opt/left4me', join(folder, 'opt'))
    .replaceAll('/usr/bin/node', process.execPath);
  for (const path of ['etc', 'opt/apps/api/bin', 'bin']) await mkdir(join(folder, path), { recursive: true });
  await writeFile(join(folder, 'bin/left4me'), here, { mode: 0o755 });
  await writeFile(join(folder, 'bin/id'), '#!/bin/sh\necho 0\n', { mode: 0o755 });
  const setpriv = '#!/bin/sh\nAS=${1#--reuid=}\nexport AS\nshift 4\nexec "$@"\n';
  await writeFile(join(folder, 'bin/setpriv'), setpriv, { mode: 0o755 });
  await writeFile(join(folder, 'opt/apps/api/bin/left4me.mjs'), PROGRAM);
  await writeFile(join(folder, 'etc/host.env'), 'LEFT4ME_HOST=local\n');
});
afterEach(() => rm(folder, { recursive: true }));

async function doctor(): Promise<unknown> {
  const env = { PATH: `${join(folder, 'bin')}:/usr/bin:/bin` };
  return JSON.parse((await execute(join(folder, 'bin/left4me'), ['doctor', '--json'], { env })).stdout);
}

describe('left4me doctor of root', () => {
  it('looks at API and worker with the settings and as the user of each', async () => {
    await writeFile(join(folder, 'etc/web.env'), 'LEFT4ME_BIND="0.0.0.0"\n');
    expect(await doctor()).toEqual([
      ['left4me-web', '0.0.0.0', 'doctor', '--json', '--role', 'api'],
      ['left4me', null, 'doctor', '--json', '--role', 'worker'],
    ]);
  });

  it('looks at the worker alone where there is no API', async () => {
    expect(await doctor()).toEqual([['left4me', null, 'doctor', '--json', '--role', 'worker']]);
  });
});
