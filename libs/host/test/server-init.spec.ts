import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { PROGRAMS } from '../src/programs.js';

/** What server-init.sh ends with when it gets SIGTERM as soon as the server has printed something. */
async function endAfterTerm(script: string): Promise<number | null> {
  const init = spawn('/bin/sh', [PROGRAMS.serverInit, '/bin/sh', '-c', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  init.stdout.once('data', () => init.kill('SIGTERM'));
  const [code] = (await once(init, 'close')) as [number | null];
  return code;
}

it.each([
  ['ends at once', "trap 'exit 3' TERM; echo up; while :; do sleep 0.05 & wait $!; done", 3],
  ['takes its time', "trap 'sleep 0.1; exit 3' TERM; echo up; while :; do sleep 0.05 & wait $!; done", 3],
  ['knows nothing of signals', 'echo up; exec sleep 60', 143],
])('a server that is told to end and %s gives its code', async (_, script, code) => {
  const ends = await Promise.all(Array.from({ length: 20 }, () => endAfterTerm(script)));
  expect(ends).toEqual(Array<number>(20).fill(code));
});
