import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { makeRoot } from './support/fixture.js';

const execute = promisify(execFile);
const SCRIPTS = fileURLToPath(new URL('../programs/systemd/', import.meta.url));
const UNIT = fileURLToPath(new URL('../../../deploy/systemd/left4me-server@.service', import.meta.url));

/** The unit's scripts in a folder where the kernel has counted so many kills, beside a prepared instance. */
async function prepared(): Promise<{ root: string; scripts: string; kills: (count: number) => Promise<void> }> {
  const root = await makeRoot();
  const scripts = join(root, 'programs/systemd');
  await mkdir(scripts, { recursive: true });
  for (const script of ['start-server.sh', 'after-server.sh'])
    await copyFile(join(SCRIPTS, script), join(scripts, script));
  await mkdir(join(root, 'instances/one'), { recursive: true });
  await writeFile(join(root, 'instances/one/launch'), 'copy\n1000\n');
  const kills = (count: number): Promise<void> => writeFile(join(scripts, 'oom-kills.sh'), `echo ${count}\n`);
  await kills(0);
  return { root, scripts, kills };
}

async function start(root: string, scripts: string): Promise<string> {
  await writeFile(join(root, 'systemd-cat'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  const env = { PATH: `${root}:/usr/bin:/bin`, LEFT4ME_ROOT: root };
  return (await execute('/bin/sh', [join(scripts, 'start-server.sh'), 'one'], { env })).stdout;
}

describe('the unit of a server', () => {
  it('prints what the server prints, whatever a line begins with', async () => {
    const { root, scripts } = await prepared();
    expect(await start(root, scripts)).toMatch(/^--identifier=left4me-server@one .*--level-prefix=false \/bin\/sh/);
  });

  it('waits for its folder, and does not try again what cannot become better', async () => {
    const lines = (await readFile(UNIT, 'utf8')).split('\n');
    expect(lines).toContain('RequiresMountsFor=/var/lib/left4me');
    expect(lines).toContain('RestartPreventExitStatus=66 75');
  });

  it.each([
    ['killed in this run', 0, 1, ['killed', 'KILL'], true],
    ['killed below its launcher', 0, 1, ['exited', '137'], true],
    ['ended by its start script with a code of its own', 0, 1, ['exited', '1'], true],
    ['killed by somebody, after a kill in an earlier run', 2, 2, ['killed', 'KILL'], false],
    ['crashed after it survived the kill of a child', 0, 1, ['exited', '139'], false],
    ['crashed itself after such a kill', 0, 1, ['dumped', 'SEGV'], false],
  ])('that was %s: %i kills before, %i after, %j: out of memory %s', async (_, before, after, [code, status], oom) => {
    const { root, scripts, kills } = await prepared();
    await kills(before);
    await start(root, scripts);
    await kills(after);
    const env = {
      PATH: '/usr/bin:/bin',
      LEFT4ME_ROOT: root,
      INVOCATION_ID: 'run',
      EXIT_CODE: code,
      EXIT_STATUS: status,
    };
    await execute('/bin/sh', [join(scripts, 'after-server.sh'), 'one'], { env });
    const end = await readFile(join(root, 'instances/one/end'), 'utf8').catch(() => '');
    expect(end).toBe(oom ? 'run oom\n' : '');
  });
});

it.each([
  ['v2', '0::/game.slice/one\n', 'game.slice/one/memory.events', 'low 0\noom 5\noom_kill 2\noom_group_kill 0\n'],
  ['v1', '4:memory:/game.slice/one\n0::/game.slice/one\n', 'memory/game.slice/one/memory.oom_control', 'oom_kill 2\n'],
])('kills for want of memory are counted on cgroup %s', async (_, groups, file, text) => {
  const root = await makeRoot();
  await mkdir(join(root, file, '..'), { recursive: true });
  await writeFile(join(root, file), text);
  await writeFile(join(root, 'own'), groups);
  const { stdout } = await execute('/bin/sh', [join(SCRIPTS, 'oom-kills.sh'), root, join(root, 'own')]);
  expect(stdout).toBe('2\n');
});
