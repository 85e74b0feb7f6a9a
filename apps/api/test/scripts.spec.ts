import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SCRIPTS = fileURLToPath(new URL('../../../scripts', import.meta.url));

function run(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${SCRIPTS}/${script}.mjs`, ...args], {
    encoding: 'utf8',
    timeout: 10_000,
  });
  return { code: status, stdout, stderr };
}

describe('a script that is run with the wrong options builds nothing and says what there is', () => {
  it.each([
    ['bench', ['--only', 'latecy'], '--only must be one of latency, throughput, backlog, logs, overlays, not latecy.'],
    ['bench', ['--onyl', 'latency'], "Unknown option '--onyl'. Known: --only --json --help."],
    ['chaos', ['--runs', 'many'], '--runs must be a whole number, not many.'],
    ['chaos', ['--only', 'redis'], '--only must be one of logic, service-faults, not redis.'],
    ['chaos', ['--sed', '1'], "Unknown option '--sed'. Known: --seed --path --runs --faults --only --help."],
    ['crash', ['--only', 'api'], "Unknown option '--only'. Known: --help."],
    ['crash', ['api'], "Unexpected argument 'api'. Known: --help."],
  ])('%s %j', (script, args, sentence) => {
    expect(run(script, ...args)).toEqual({ code: 2, stdout: '', stderr: `${sentence}\n` });
  });
});

describe('--help explains a script and runs nothing', () => {
  it.each([
    ['bench', ['Usage: npm run bench -- [options]', '--only FIGURE', '--json FILE', 'docs/benchmarks.md']],
    ['chaos', ['Usage: npm run test:chaos -- [options]', '--seed N', '--path P', '--only PART', 'CONTRIBUTING.md']],
    ['crash', ['Usage: npm run test:crash -- [options]', 'It takes no options']],
  ])('%s', (script, texts) => {
    const { code, stdout } = run(script, '--help');
    expect(code).toBe(0);
    for (const text of texts) expect(stdout).toContain(text);
    expect(stdout).not.toContain('Building');
  });
});

it('bench knows the figures that there are', async () => {
  const main = await readFile(fileURLToPath(new URL('../bench/main.ts', import.meta.url)), 'utf8');
  const [, names = ''] = /const measurements: .* = \{([^}]*)\};/.exec(main) ?? [];
  const figures = names.split(',').flatMap((name) => name.split(':')[0]?.trim() || []);
  expect(run('bench', '--help').stdout).toContain(`only this one of ${figures.join(', ')};`);
});
