import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ControlGroups } from './cgroup.js';

const GROUP = '/left4me-game.slice/left4me-server@one.service';

/** A mount of control groups with these files. */
async function mounted(files: Record<string, string>): Promise<ControlGroups> {
  const mount = await mkdtemp(join(tmpdir(), 'left4me-test-'));
  onTestFinished(() => rm(mount, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(mount, path)), { recursive: true });
    await writeFile(join(mount, path), text);
  }
  return new ControlGroups(mount);
}

it('tells of a group of cgroup v2, without the files that are only cached', async () => {
  const groups = await mounted({
    'cgroup.controllers': 'cpu memory pids\n',
    [`${GROUP}/memory.current`]: '5000000\n',
    [`${GROUP}/memory.stat`]: 'anon 3000000\ninactive_file 1000000\n',
    [`${GROUP}/memory.max`]: '3221225472\n',
    [`${GROUP}/cpu.stat`]: 'usage_usec 2500000\nuser_usec 2000000\n',
    [`${GROUP}/cpu.max`]: '150000 100000\n',
    [`${GROUP}/pids.current`]: '12\n',
    [`${GROUP}/pids.max`]: 'max\n',
  });
  expect(groups.usage(GROUP)).toEqual({
    memoryBytes: 4_000_000,
    memoryLimitBytes: 3_221_225_472,
    cpuSeconds: 2.5,
    cpuLimitPercent: 150,
    tasks: 12,
    tasksLimit: null,
  });
  expect(groups.usage('/left4me-game.slice/gone.service')).toBeNull();
});

it('tells of a group of cgroup v1, whose largest number is no limit', async () => {
  const groups = await mounted({
    [`memory/${GROUP}/memory.usage_in_bytes`]: '5000000\n',
    [`memory/${GROUP}/memory.stat`]: 'cache 1\ntotal_inactive_file 1000000\n',
    [`memory/${GROUP}/memory.limit_in_bytes`]: '9223372036854771712\n',
    [`unified/${GROUP}/cpu.stat`]: 'usage_usec 2500000\n',
    [`cpu/${GROUP}/cpu.cfs_quota_us`]: '-1\n',
    [`pids/${GROUP}/pids.current`]: '12\n',
    [`pids/${GROUP}/pids.max`]: '256\n',
  });
  expect(groups.usage(GROUP)).toEqual({
    memoryBytes: 4_000_000,
    memoryLimitBytes: null,
    cpuSeconds: 2.5,
    cpuLimitPercent: null,
    tasks: 12,
    tasksLimit: 256,
  });
  expect(groups.usage('/gone.service')).toBeNull();
});

it.each([
  [
    'v2',
    '',
    '',
    'memory.events',
    'low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n',
    { 'cgroup.controllers': 'memory pids\n' },
  ],
  ['v1', 'pids', 'memory', 'memory.oom_control', 'oom_kill_disable 0\nunder_oom 0\noom_kill 2\n', {}],
])('tells what a group of cgroup %s was refused', async (_, pids, memory, file, text, more) => {
  const groups = await mounted({
    [`${pids}/${GROUP}/pids.events`]: 'max 5\n',
    [`${memory}/${GROUP}/${file}`]: text,
    ...more,
  });
  expect(groups.refusals(GROUP)).toEqual({ processes: 5, outOfMemory: 2 });
  expect(groups.refusals('/gone.service')).toEqual({ processes: 0, outOfMemory: 0 });
});
