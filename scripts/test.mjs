// npm test: install, build, then all tests of all projects, and one closing line with the sum.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build, checkout, install, projects, requireNode } from './steps.mjs';

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
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${REPORT}`];
  // `npm test -- some-file`: most projects have no such file.
  if (given.length > 0) reporters.push('--passWithNoTests');
  const sum = { passed: 0, failed: 0, skipped: 0 };
  // One project at a time: each has services and browsers of its own, and small machines have two cores.
  for (const project of tested) {
    rmSync(join(checkout, project, REPORT), { force: true });
    const failedBefore = sum.failed;
    const code = await run('npm', ['run', '--silent', 'test', '--workspace', project, '--', ...reporters, ...given]);
    add(sum, project, given.length > 0 && code === 0);
    if (code === 0 || sum.failed > failedBefore) continue;
    console.log(
      `${project}: the tests passed, but the run ended with an error (see above); that counts as one failure.`,
    );
    sum.failed += 1;
  }
  if (sum.passed + sum.failed === 0) console.log('No test ran at all: that is a failure too.');
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : '';
  console.log(`${sum.passed} passed, ${sum.failed} failed${skipped}`);
  return sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}

function add(sum, project, mayBeEmpty) {
  const file = join(checkout, project, REPORT);
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { numTotalTests: 0, testResults: [] };
  if (report.numTotalTests === 0 && report.testResults.length === 0) {
    if (mayBeEmpty) return;
    console.log(`${project}: no test ran; that counts as one failure.`);
    sum.failed += 1;
    return;
  }
  sum.passed += report.numPassedTests;
  sum.failed += report.numFailedTests;
  sum.skipped += report.numPendingTests + report.numTodoTests;
  // A file that could not be loaded, or whose beforeAll failed, has no failed test to count.
  const withoutTheirTests = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((one) => one.status !== 'failed'),
  );
  sum.failed += withoutTheirTests.length;
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: checkout, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', () => resolve(1));
    child.on('close', resolve);
  });
}
