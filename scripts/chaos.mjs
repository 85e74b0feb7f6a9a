// npm run test:chaos: install, build, then random interleavings of everything that can happen to the queue; see CONTRIBUTING.md.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { readOptions } from './options.mjs';
import { bin, build, checkout, install, requireNode } from './steps.mjs';

const FOLDER = 'test/chaos';
const about = `Plays random interleavings of everything that can happen to the queue, on real processes, and judges its promises
after each (about half an hour); CONTRIBUTING.md tells more.`;
const wholeNumber = { value: 'N', pattern: /^\d+$/, must: 'a whole number' };

const given = readOptions('test:chaos', about, {
  seed: { ...wholeNumber, about: 'the same interleavings again; every run prints its seed' },
  path: { value: 'P', about: 'one interleaving of that seed, as a violation told it' },
  runs: { ...wholeNumber, about: 'interleavings in which services stay (2000)' },
  faults: { ...wholeNumber, about: 'interleavings in which Redis and PostgreSQL stop, are killed and return (100)' },
  only: { value: 'PART', choices: ['logic', 'service-faults'], about: 'logic or service-faults; otherwise both' },
});
requireNode();
await install();
await build();
const env = {
  ...process.env,
  ...(given.seed === undefined ? {} : { CHAOS_SEED: given.seed }),
  CHAOS_PATH: given.path ?? '',
  CHAOS_RUNS: given.runs ?? '2000',
  CHAOS_FAULT_RUNS: given.faults ?? '100',
  CHAOS_ONLY: given.only ?? '',
};
const child = spawn(bin('vitest'), ['run', FOLDER], { cwd: join(checkout, 'apps/api'), env, stdio: 'inherit' });
child.on('close', (code) => (process.exitCode = code ?? 1));
