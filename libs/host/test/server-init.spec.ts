import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
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

it('a server that is told to end while it is being started ends', async () => {
  const lines = readFileSync(PROGRAMS.serverInit, 'utf8').split('\n');
  const [first, last] = [lines.findLastIndex((line) => line.startsWith('trap ')) + 1, lines.indexOf('while :; do')];
  expect(last - first).toBeGreaterThan(1);
  /** It gets SIGTERM between two of its lines, be it in the shell or in its child. */
  const endTold = async (before: number): Promise<number | null> => {
    const script = lines.toSpliced(before, 0, 'kill -TERM "$$"').join('\n');
    const init = spawn('/bin/sh', ['-c', script, 'server-init.sh', 'sleep', '4'], { stdio: 'ignore' });
    const [code] = (await once(init, 'close')) as [number | null];
    return code;
  };
  const after = Array.from({ length: last - first + 1 }, (_, n) => first + n);
  const moments = after.filter((before) => !/^ *exec /.test(lines[before - 1] ?? '')); // nothing runs after that
  const ends = await Promise.all(moments.flatMap((moment) => Array.from({ length: 8 }, () => endTold(moment))));
  expect(ends).toEqual(ends.map(() => 143));
});

it('a program that is not there ends like that in a shell', async () => {
  const ends = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const init = spawn('/bin/sh', [PROGRAMS.serverInit, '/no/such/program'], { stdio: 'ignore' });
      return (await once(init, 'close'))[0] as number | null;
    }),
  );
  expect(ends).toEqual(Array<number>(20).fill(127));
});
