// npm run bench: install, build, then measure; see docs/benchmarks.md.
import { spawn } from 'node:child_process';
import { bin, build, checkout, install, mustStep, requireNode } from './steps.mjs';

const FOLDER = 'apps/api/bench';

requireNode();
await install();
await build();
await mustStep('Building the benchmarks', bin('tsc'), ['-p', FOLDER]);
const child = spawn(process.execPath, [`${FOLDER}/dist/bench/main.js`, ...process.argv.slice(2)], {
  cwd: checkout,
  stdio: 'inherit',
});
child.on('close', (code) => (process.exitCode = code ?? 1));
