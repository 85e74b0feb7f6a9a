import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { firstToGo } from './first-to-go.js';

it('the kernel is told which program to end first, and one that has ended does not matter', async () => {
  const child = spawn('sleep', ['100']);
  await once(child, 'spawn');
  firstToGo(child.pid);
  expect(await readFile(`/proc/${child.pid}/oom_score_adj`, 'utf8')).toBe('800\n');
  child.kill('SIGKILL');
  await once(child, 'close');
  firstToGo(child.pid);
});
