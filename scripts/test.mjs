// npm test: install, build, then all tests of all projects, and one closing line with the sum.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, checkout, install, nx, projects, requireNode } from './steps.mjs';

const REPORT = 'coverage/test-results.json';

requireNode();
await install();
await build();
process.exitCode = await test(process.argv.slice(2));

async function test(given) {
  const tested = projects().filter((project) => {
    const { scripts } = JSON.parse(readFileSync(join(checkout, project, 'package.json'), 'utf8'));
    return scripts?.test !== undefined;
  });
  for (const project of tested) rmSync(join(checkout, project, REPORT), { force: true });

  // One project at a time: each has services and browsers of its own, and small machines have two cores.
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  const output = '--outputStyle=stream-without-prefixes';
  const [command, args, options] = nx('run-many', '-t', 'test', '--parallel=1', output, '--', ...reporters, ...given);
  const code = await run(command, args, options);

  const sum = { passed: 0, failed: 0, skipped: 0 };
  for (const project of tested) add(sum, project);
  if (code !== 0 && sum.failed === 0) {
    console.log('The tests passed, but a test run ended with an error (see above); it counts as one failure.');
    sum.failed = 1;
  }
  if (sum.passed + sum.failed === 0) console.log('No test ran at all: that is a failure too.');
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : '';
  console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
  return sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}

function add(sum, project) {
  const file = join(checkout, project, REPORT);
  if (!existsSync(file)) {
    console.log(`${project}: the tests did not run; that counts as one failure.`);
    sum.failed += 1;
    return;
  }
  const report = JSON.parse(readFileSync(file, 'utf8'));
  sum.passed += report.numPassedTests;
  sum.failed += report.numFailedTests;
  sum.skipped += report.numPendingTests + report.numTodoTests;
  // A file that could not even be loaded has no tests to count.
  sum.failed += report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;
}

function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: checkout, stdio: ['ignore', 'inherit', 'inherit'], ...options });
    child.on('error', () => resolve(1));
    child.on('close', resolve);
  });
}
