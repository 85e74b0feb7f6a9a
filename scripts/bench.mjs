// npm run bench: install, build, then measure; see docs/benchmarks.md.
import { spawn } from 'node:child_process';
import { readOptions } from './options.mjs';
import { bin, build, checkout, install, mustStep, requireNode } from './steps.mjs';

const FOLDER = 'apps/api/bench';
/** Those of bench/main.ts. */
const FIGURES = ['latency', 'throughput', 'backlog', 'logs', 'overlays'];

const about = `Measures the queue, its logs and overlays beside references on this machine, in about eleven minutes;
docs/benchmarks.md explains the figures.`;
const { only = [], json } = readOptions('bench', about, {
  only: {
    value: 'FIGURE',
    about: `only this one of ${FIGURES.join(', ')}; may be given several times`,
    choices: FIGURES,
    multiple: true,
  },
  json: { value: 'FILE', about: 'write the figures there too' },
});
requireNode();
await install();
await build();
await mustStep('Building the benchmarks', bin('tsc'), ['-p', FOLDER]);
const args = [only.length > 0 ? ['--only', ...only] : [], json === undefined ? [] : ['--json', json]].flat();
const child = spawn(process.execPath, [`${FOLDER}/dist/bench/main.js`, ...args], { cwd: checkout, stdio: 'inherit' });
child.on('close', (code) => (process.exitCode = code ?? 1));
