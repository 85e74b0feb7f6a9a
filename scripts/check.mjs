// npm run check: everything that can be said about the code without running it.
import { bin, build, install, nx, requireNode, step } from './steps.mjs';

requireNode();
await install();
const checks = [
  await step('Format (oxfmt)', bin('oxfmt'), ['--check', '.']),
  await step('Lint and module boundaries (oxlint, with types)', bin('oxlint'), ['--type-aware', '--deny-warnings']),
  await step('docker-compose.yml against its schema (dclint)', bin('dclint'), [
    '--max-warnings',
    '0',
    'docker-compose.yml',
  ]),
];
await build();
checks.push(await step('Types (tsc, vue-tsc)', ...nx('run-many', '-t', 'typecheck')));
checks.push(await step('Types of the system tests (tsc)', bin('tsc'), ['-p', 'deploy/test']));
const failed = checks.filter((passed) => !passed).length;
console.log(failed === 0 ? 'All checks passed.' : `${failed} of ${checks.length} checks failed.`);
process.exitCode = failed === 0 ? 0 : 1;
