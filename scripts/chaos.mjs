// npm run test:chaos: install, build, then random interleavings of everything that can happen to the queue; see CONTRIBUTING.md.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bin, build, checkout, fail, install, requireNode } from './steps.mjs';

const FOLDER = 'test/chaos';
const options = {
  /** Of a run that is to be repeated. */
  seed: { type: 'string' },
  /** One interleaving of that run, as a violation told it. */
  path: { type: 'string', default: '' },
  /** Interleavings without faults of the services, and with. */
  runs: { type: 'string', default: '2000' },
  faults: { type: 'string', default: '100' },
  /** `logic` or `service-faults`; otherwise both. */
  only: { type: 'string', default: '' },
};

const given = read();
for (const name of ['runs', 'faults', 'seed'])
  if (!/^\d+$/.test(given[name] ?? '0')) fail(`--${name} must be a whole number, not ${given[name]}.`);
requireNode();
await install();
await build();
const env = {
  ...process.env,
  ...(given.seed === undefined ? {} : { CHAOS_SEED: given.seed }),
  CHAOS_PATH: given.path,
  CHAOS_RUNS: given.runs,
  CHAOS_FAULT_RUNS: given.faults,
  CHAOS_ONLY: given.only,
};
const child = spawn(bin('vitest'), ['run', FOLDER], { cwd: join(checkout, 'apps/api'), env, stdio: 'inherit' });
child.on('close', (code) => (process.exitCode = code ?? 1));

function read() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return fail(
      `${error.message} Known: ${Object.keys(options)
        .map((name) => `--${name}`)
        .join(' ')}.`,
    );
  }
}
